/**
 * What it costs to have cells done through a queue: 10 000 cells that take no time, a Redis server of this machine, one coordinator (this process) and
 * workers of other processes. Measures the time to put all in, cells per second, memory and processor time of the coordinator, and the server's memory.
 * With --take it stops after so many, and the rest is taken out of the queue, as Ctrl-C does.
 *
 *     npx tsx bench/queue.ts [--cells 10000] [--take 10000] [--workers 1]
 */
import { fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Redis } from "ioredis";
import { queueAddress } from "../src/app/queue/address.js";
import { QueueRunner } from "../src/app/queue/coordinator.js";
import { trivialCells } from "../src/app/queue/testing/cells.js";
import { startRedis } from "../src/app/queue/testing/redis.js";
import { runWorker } from "../src/app/queue/worker.js";

const { values, positionals } = parseArgs({
  options: {
    cells: { type: "string", default: "10000" },
    take: { type: "string", default: "10000" },
    workers: { type: "string", default: "1" },
  },
  allowPositionals: true,
});

if (positionals[0] === "worker") await work(positionals[1]!, positionals[2]!);
else await measure(Number(values.cells), Math.min(Number(values.take), Number(values.cells)), Number(values.workers));

/** A worker whose cells write what a small run leaves: four files, 20 kB. */
async function work(url: string, folder: string): Promise<void> {
  await runWorker(queueAddress(url, {}), {
    folder: join(folder, `work-${process.pid}`),
    roots: [{ to: folder }],
    plugins: [],
    executors: [
      {
        async run(_, place) {
          mkdirSync(place, { recursive: true });
          for (const name of ["run.json", "records.jsonl", "summary.json", "report.html"])
            writeFileSync(join(place, name), name.repeat(500));
          return "done";
        },
      },
    ],
    lostAfter: 30,
    idle: undefined,
    signal: AbortSignal.any([]),
    say: () => {},
  });
}

async function measure(count: number, take: number, workers: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "faultline-bench-queue-"));
  const server = await startRedis();
  const redis = new Redis(server.port, { host: "127.0.0.1" });
  const memory = async () => Number(/used_memory:(\d+)/.exec(await redis.info("memory"))![1]) / 2 ** 20;
  const cells = trivialCells(folder, count);
  const out = join(folder, "out");
  const resident = () => process.memoryUsage.rss() / 2 ** 20;
  const [before, load] = [resident(), loadavg()[0]!];
  let [peak, peakServer, queued, ended] = [0, 0, 0, 0];
  let total = process.cpuUsage();
  const watch = setInterval(async () => {
    peak = Math.max(peak, resident());
    peakServer = Math.max(peakServer, await memory());
  }, 100);
  const stop = new AbortController();
  const hooks = {
    folder: (cell: { name: string }) => join(out, cell.name),
    started: () => {},
    progress: () => {},
    failed: () => {},
  };
  const runner = new QueueRunner(queueAddress(server.url, {}), { folder: out, say: () => {} });
  const began = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  const told = () => {
    if (++done === take) {
      ended = performance.now();
      total = process.cpuUsage(cpu);
      stop.abort();
    }
  };
  const running = runner.run(cells, { ...hooks, signal: stop.signal, done: told });
  // All are put in before anybody takes one.
  while (queued === 0) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if ((await redis.llen("faultline:cells-0.1.0:wait")) === count) queued = performance.now();
  }
  const full = await memory();
  const putIn = process.cpuUsage(cpu);
  const self = fileURLToPath(import.meta.url);
  const children = Array.from({ length: workers }, () => fork(self, ["worker", server.url, folder], { stdio: "inherit" }));
  await running;
  const cleaned = performance.now();
  clearInterval(watch);
  for (const child of children) child.kill("SIGKILL");
  const arrived = readdirSync(join(out, "cells")).length;
  const seconds = (usage: NodeJS.CpuUsage) => (usage.user + usage.system) / 1e6;
  console.log(
    `${arrived} of ${count} cells arrived, ${workers} worker(s); load of the machine ${load.toFixed(1)} at the start, ${loadavg()[0]!.toFixed(1)} at the end`,
  );
  console.log(
    `put in: ${((queued - began) / 1000).toFixed(1)} s, ${seconds(putIn).toFixed(1)} s of processor time; ${full.toFixed(0)} MiB in Redis`,
  );
  console.log(
    `done: ${((ended - queued) / 1000).toFixed(1)} s, ${((1000 * take) / (ended - queued)).toFixed(0)} cells/s; coordinator ${(seconds(total) - seconds(putIn)).toFixed(1)} s of processor time`,
  );
  console.log(
    `coordinator: ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most; Redis ${peakServer.toFixed(0)} MiB at most`,
  );
  if (take < count) console.log(`the rest taken out of the queue: ${((cleaned - ended) / 1000).toFixed(1)} s`);
  redis.disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cell, CellError } from "../cells/cell.js";
import { CellFailed } from "../cells/cell-process.js";
import { version } from "../cli/version.js";
import { queueAddress } from "./address.js";
import { QueueRunner } from "./coordinator.js";
import { encode } from "./message.js";
import { prefix, queueName, resultsKey } from "./names.js";
import { Elsewhere } from "./places.js";
import { trivialCells } from "./testing/cells.js";
import { hasRedis, startRedis, type TestServer } from "./testing/redis.js";
import { type Executor, runWorker } from "./worker.js";

// The queue with a real Redis and cells that take no time: what is lost comes again, what comes twice is taken once.

const folder = mkdtempSync(join(tmpdir(), "faultline-queue-"));
let server: TestServer;
beforeAll(async () => {
  if (hasRedis) server = await startRedis();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const cells = (count: number) => trivialCells(folder, count);
/** cell0, cell1, and so on. */
const numbered = (cell: Cell) => cell.name.replace("cells/", "");
const textOf = (cell: Cell) => `${cell.name} `.repeat(1000);

/** Writes three files, one of them empty and one in a folder. */
const writes: Executor = {
  async run(cell, place) {
    mkdirSync(join(place, "images"), { recursive: true });
    writeFileSync(join(place, "records.jsonl"), textOf(cell));
    writeFileSync(join(place, "empty"), "");
    writeFileSync(join(place, "images", "a.png"), Buffer.alloc(700_000, cell.key));
    return "done";
  },
};

interface Outcome {
  readonly done: string[];
  readonly failed: Record<string, string>;
  readonly said: string[];
}

/** A sweep of its own directory; `during` is told of every cell that is done. */
async function sweep(
  list: readonly Cell[],
  { signal = new AbortController().signal, out = join(folder, randomUUID()), during = (_: number): unknown => undefined } = {},
): Promise<Outcome & { readonly out: string }> {
  const outcome: Outcome & { out: string } = { done: [], failed: {}, said: [], out };
  const runner = new QueueRunner(queueAddress(server.url, {}), {
    folder: out,
    say: (sentence) => outcome.said.push(sentence),
    checkEvery: 200,
  });
  await runner.run(list, {
    folder: (cell) => join(out, cell.name),
    signal,
    started: () => {},
    progress: () => {},
    done: (cell) => {
      outcome.done.push(numbered(cell));
      during(outcome.done.length);
    },
    failed: (cell, sentence) => {
      outcome.failed[numbered(cell)] = sentence;
    },
  });
  return outcome;
}

/** A worker in this process; `stop` is Ctrl-C. */
function worker(executor: Executor, options: { readonly idle?: number } = {}) {
  const controller = new AbortController();
  const said: string[] = [];
  const ended = runWorker(queueAddress(server.url, {}), {
    folder: join(folder, `work-${randomUUID()}`),
    roots: [{ to: folder }],
    plugins: [],
    executors: [executor],
    lostAfter: 2,
    idle: undefined,
    signal: controller.signal,
    say: (sentence) => said.push(sentence),
    ...options,
  });
  return {
    said,
    stop: () => {
      controller.abort();
      return ended;
    },
  };
}

describe.skipIf(!hasRedis)("a queue on a Redis server (skipped where redis-server is not installed)", () => {
  it("brings the files of every cell to its folder, from two workers", async () => {
    const workers = [worker(writes), worker(writes)];
    const { done, failed, out } = await sweep(cells(20));
    expect([done.length, failed]).toEqual([20, {}]);
    for (const cell of cells(20)) {
      expect(readFileSync(join(out, cell.name, "records.jsonl"), "utf8")).toBe(textOf(cell));
      expect(readFileSync(join(out, cell.name, "images", "a.png")).equals(Buffer.alloc(700_000, cell.key))).toBe(true);
      expect(readFileSync(join(out, cell.name, "empty")).length).toBe(0);
    }
    const counts = await Promise.all(workers.map((w) => w.stop()));
    expect(counts[0]! + counts[1]!).toBe(20);
  });

  it("puts in again what a server that was restarted has forgotten", async () => {
    const slow: Executor = {
      async run(cell, place, hooks) {
        await setTimeout(20);
        return writes.run(cell, place, hooks);
      },
    };
    const one = worker(slow);
    const { done, said, failed } = await sweep(cells(30), { during: (n) => n === 5 && void server.restart() });
    expect([new Set(done).size, done.length, failed]).toEqual([30, 30, {}]);
    expect(said.join("\n")).toMatch(/does not answer; waiting for it/);
    expect(said.join("\n")).toMatch(/the queue has lost \d+ cells; they are put in again/);
    await one.stop();
  });

  it("takes once what is delivered twice", async () => {
    const redis = new Redis(server.port);
    const out = join(folder, "twice");
    const twice: Executor = {
      async run(cell, place, hooks) {
        // Another worker, which was taken for dead, delivers the same cell before, and again after.
        const { sweep } = JSON.parse(readFileSync(join(out, "queue.json"), "utf8"));
        const files = [{ path: "records.jsonl", size: 2, sha256: createHash("sha256").update("no").digest("hex") }];
        const part = { kind: "part", key: cell.key, worker: "other:1", part: 0, files } as const;
        await redis.rpush(resultsKey(sweep), encode({ ...part, delivery: "torn" }, Buffer.from("n")));
        const end = await writes.run(cell, place, hooks);
        const own = { ...files[0]!, sha256: createHash("sha256").update("other").digest("hex") };
        await redis.rpush(resultsKey(sweep), encode({ ...part, delivery: "wrong", files: [own] }, Buffer.from("no")));
        return end;
      },
    };
    const one = worker(twice);
    const { done } = await sweep(cells(3), { out });
    expect(done.sort()).toEqual(["cell0", "cell1", "cell2"]);
    for (const cell of cells(3)) expect(readFileSync(join(out, cell.name, "records.jsonl"), "utf8")).toBe(textOf(cell));
    expect(readdirSync(out)).toEqual(["cells"]);
    await one.stop();
    redis.disconnect();
  });

  it("gives up a cell that no worker can do, and says why", async () => {
    const errors = [new CellFailed("label 77 is no class."), new CellError("it is damaged."), new Elsewhere("voc is not there.")];
    const wrong: Executor = {
      async run(cell) {
        throw errors[Number(cell.name.slice(-1))];
      },
    };
    const one = worker(wrong);
    const { done, failed, said } = await sweep(cells(3));
    expect(done).toEqual([]);
    expect(failed).toEqual({ cell0: "label 77 is no class.", cell1: "it is damaged.", cell2: "voc is not there." });
    expect(said.join("\n")).toMatch(/:\d+ leaves cells\/cell2 to others: voc is not there\./);
    await one.stop();
  });

  it("leaves a cell that one worker cannot do to another one", async () => {
    const lacking: Executor = {
      async run() {
        throw new Elsewhere("voc is not there.");
      },
    };
    const one = worker(lacking);
    const other = worker(writes);
    const { done, failed } = await sweep(cells(3));
    expect([done.length, failed]).toEqual([3, {}]);
    await Promise.all([one.stop(), other.stop()]);
  });

  it("leaves the queue clean when it is stopped, and goes on when it is repeated", async () => {
    const out = join(folder, "stopped");
    const stop = new AbortController();
    let release = () => {};
    const held: Executor = {
      async run(cell, place, hooks) {
        if (numbered(cell) === "cell2") await new Promise<void>((resolve) => (release = resolve));
        return writes.run(cell, place, hooks);
      },
    };
    const one = worker(held);
    const first = await sweep(cells(6), {
      out,
      signal: stop.signal,
      during: (n) => n === 2 && setTimeout(300).then(() => stop.abort()),
    });
    expect(first.done.sort()).toEqual(["cell0", "cell1"]);
    expect(first.said.join("\n")).toMatch(/1 cell is being done by workers; what they finish waits in redis:\/\/127/);
    const queue = new Queue(queueName(version), { connection: { port: server.port }, prefix });
    expect(await queue.getJobCounts("wait", "active", "delayed")).toEqual({ wait: 0, active: 1, delayed: 0 });
    await queue.close();
    release();
    const left = cells(6).filter((cell) => !first.done.includes(numbered(cell)));
    expect((await sweep(left, { out })).done.sort()).toEqual(["cell2", "cell3", "cell4", "cell5"]);
    await one.stop();
  });

  it("says that nobody works, and whose version does", async () => {
    const stop = new AbortController();
    const running = sweep(cells(1), { signal: stop.signal });
    await setTimeout(1500);
    stop.abort();
    const { said } = await running;
    expect(said.join("\n")).toContain(
      `no worker takes cells from ${server.url}; start one on any machine that reaches it: npx faultline worker --queue ${server.url}`,
    );
  });

  it("leaves a job of another version in the queue, and says so", async () => {
    const redis = new Redis(server.port, { maxRetriesPerRequest: null });
    await redis.sadd("faultline:versions", "99.0.0");
    const [future, mislaid] = [queueName("99.0.0"), queueName(version)].map(
      (name) => new Queue(name, { connection: redis, prefix }),
    );
    await future!.add("cells/future", {});
    await mislaid!.add("cells/mislaid", { format: 7, version: "99.0.0", sweep: "x", cell: {} });
    const one = worker(writes);
    while (!["mislaid", "other versions"].every((words) => one.said.join().includes(words))) await setTimeout(50);
    expect(one.said.join("\n")).toContain(
      `cells of other versions wait in the queue (1 of version 99.0.0); this is ${version}, and leaves them to workers of those versions`,
    );
    expect(one.said.join("\n")).toContain("leaves job cells/mislaid to others: the job is of Faultline 99.0.0 (form 7)");
    expect(await one.stop()).toBe(0);
    expect([await future!.getWaitingCount(), await mislaid!.getDelayedCount()]).toEqual([1, 1]);
    redis.disconnect();
  });
});

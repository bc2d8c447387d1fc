import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faultline, network, scratch, writeScenes } from "../cli/testing/scene.js";
import { hasRedis, startRedis, type TestServer } from "./testing/redis.js";

// From the command line: a sweep through a queue has the bytes of one on this machine, whatever dies on the way.

const folder = scratch();
const start = fileURLToPath(new URL("../cli/testing/start.mjs", import.meta.url));
const models = createServer((_, response) => response.end(readFileSync(network("segmentation"))));
const workers: ChildProcess[] = [];
let server: TestServer;
let address = "";

beforeAll(async () => {
  if (!hasRedis) return;
  server = await startRedis();
  await new Promise<void>((resolve) => models.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(models.address() as { port: number }).port}/net.onnx`;
  process.env.XDG_CACHE_HOME = folder.path("cache");
  await writeScenes(folder.path("plans", "scenes"), 2);
  const spec = "{ task: segmentation, range: 0..1, channels: rgb, output: { meaning: logits } }";
  writeFileSync(
    folder.path("plans", "plan.yaml"),
    `models: [{ path: "${address}", spec: ${spec} }]
data: scenes
attacks: [none, { attack: [pgd, cospgd], epsilon: [4/255, 8/255], steps: 30 }]
audit: false
`,
  );
});
afterAll(async () => {
  delete process.env.XDG_CACHE_HOME;
  for (const worker of workers) worker.kill("SIGKILL");
  models.close();
  await server?.stop();
  folder.remove();
});

const sweep = (out: string, ...more: string[]) =>
  faultline("sweep", folder.path("plans", "plan.yaml"), "--out", folder.path(out), ...more);

/** A worker of its own process, whose work folder has its name. */
function worker(name: string): ChildProcess & { said: () => string } {
  const args = ["worker", "--queue", server.url, "--root", folder.path("plans"), "--work", folder.path(name)];
  const child = spawn(process.execPath, [start, ...args, "--workers", "1", "--lost-after", "3"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr!.on("data", (chunk) => {
    said += String(chunk);
  });
  workers.push(child);
  return Object.assign(child, { said: () => said });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}

/** Records of cells in work. */
const records = (name: string) => {
  const cells = folder.path(name, "cells");
  if (!existsSync(cells)) return [];
  const files = readdirSync(cells).map((key) => join(cells, key, "records.jsonl"));
  return files.filter((file) => existsSync(file) && statSync(file).size > 0);
};

/** Every file, with its bytes. */
function bytes(out: string): Record<string, string> {
  const entries = readdirSync(folder.path(out), { recursive: true, withFileTypes: true }).filter((e) => e.isFile());
  const paths = entries.map((e) => join(e.parentPath, e.name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(folder.path(out).length), readFileSync(path, "latin1")]));
}

describe.skipIf(!hasRedis)("sweep --queue (skipped where redis-server is not installed)", () => {
  it("a worker that is killed, a server that is restarted: the bytes of a sweep on one machine", async () => {
    const [first, second] = [worker("first"), worker("second")];
    const running = sweep("queued", "--queue", server.url);
    await until(() => /done\n/.test(first.said() + second.said()));
    await server.restart();
    await until(() => records("first").length > 0 || records("second").length > 0);
    const [victim, name] = records("first").length > 0 ? [first, "first"] : [second, "second"];
    victim.kill("SIGKILL");
    const { code, err, out } = await running;
    expect([code, err]).toEqual([0, expect.stringMatching(/5 of 5: cells\/net-scenes-\w+/)]);
    expect(existsSync(folder.path(name, "cells"))).toBe(true);
    const local = await sweep("local", "--workers", "1");
    expect(out.replaceAll(folder.path("queued"), "OUT")).toBe(local.out.replaceAll(folder.path("local"), "OUT"));
    expect(bytes("queued")).toEqual(bytes("local"));

    // Ctrl-C: the one that is left ends, and says what it has done.
    const survivor = victim === first ? second : first;
    const ended = new Promise((resolve) => survivor.on("close", resolve));
    survivor.kill("SIGINT");
    expect(await ended).toBe(0);
    expect(survivor.said()).toMatch(/\d cells? done\n$/);
  });

  it("says what is wrong with a queue before anything is written", async () => {
    const none = await sweep("none", "--queue", "redis://127.0.0.1:1");
    expect([none.code, none.err]).toEqual([
      1,
      expect.stringMatching(/^faultline: redis:\/\/127\.0\.0\.1:1 cannot be reached: nothing listens/m),
    ]);
    expect(existsSync(folder.path("none"))).toBe(false);
    const secret = await sweep("none", "--queue", "redis://:hunter2@127.0.0.1");
    expect(secret.err).toMatch(/a password on a command line; leave it out and put it in the variable FAULTLINE_REDIS_PASSWORD/);
    expect(secret.err).not.toContain("hunter2");
    expect((await sweep("none", "--queue", server.url, "--shard", "1/2")).err).toMatch(/the workers of a queue share all cells/);
    expect((await sweep("none", "--queue", "localhost:6379")).err).toMatch(/--queue: write redis:\/\/HOST:PORT/);
    expect((await sweep("none", "--queue")).err).toMatch(/name the queue with --queue redis:\/\/HOST:6379, or in the variable/);
  });

  it("takes the password from the environment, and says where it is wrong", async () => {
    const closed = await startRedis("--requirepass", "hunter2");
    try {
      expect((await faultline("worker", "--queue", closed.url, "--work", folder.path("w"))).err).toMatch(
        /wants a password; put it in the variable FAULTLINE_REDIS_PASSWORD/,
      );
      process.env.FAULTLINE_REDIS_PASSWORD = "wrong";
      const wrong = await faultline("worker", "--queue", closed.url, "--work", folder.path("w"));
      expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/refuses the user or the password; they come from/)]);
      process.env.FAULTLINE_REDIS_PASSWORD = "hunter2";
      const right = await faultline("worker", "--queue", closed.url, "--work", folder.path("w"), "--idle", "1");
      expect([right.code, right.err]).toEqual([0, expect.stringMatching(/no cell for 1 seconds\n0 cells done\n$/)]);
      expect(right.err).not.toContain("hunter2");
    } finally {
      delete process.env.FAULTLINE_REDIS_PASSWORD;
      await closed.stop();
    }
  });
});

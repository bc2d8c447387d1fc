import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSafetensors } from "../../engine/tensor/safetensors.js";
import { damage, faultline, inputs, network, scratch, writeScenes } from "./testing/scene.js";

const folder = scratch();
const data = folder.path("data");
const start = fileURLToPath(new URL("testing/start.mjs", import.meta.url));
const many = 9;
beforeAll(async () => {
  await writeScenes(data, many);
  damage(data, 4);
});
afterAll(() => folder.remove());

const model = network("segmentation");
const command = (out: string, ...more: string[]) => [
  ...["attack", model, "--task", "segmentation", "--data", data, "--out", folder.path(out), "--steps", "12", "--restarts", "3"],
  "--allow-failed",
  ...more,
];

/** Every file of a run with its bytes, but for the run's own path, which the report names. */
function bytes(out: string, only: (name: string) => boolean = () => true): Record<string, string> {
  const files: Record<string, string> = {};
  const visit = (at: string) => {
    for (const name of readdirSync(at)) {
      const path = join(at, name);
      if (statSync(path).isDirectory()) visit(path);
      else if (only(relative(folder.path(out), path)))
        files[relative(folder.path(out), path)] = readFileSync(path).toString("latin1").replaceAll(folder.path(out), "RUN");
    }
  };
  visit(folder.path(out));
  return files;
}

function begin(args: readonly string[]): { child: ChildProcess; ended: Promise<{ code: number | null; err: string }> } {
  const child = spawn(process.execPath, [start, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr!.on("data", (chunk) => {
    err += String(chunk);
  });
  return { child, ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, err }))) };
}

/** Waits until a run has at least so many records. */
async function recorded(out: string, count: number): Promise<void> {
  const file = folder.path(out, "records.jsonl");
  for (let waited = 0; waited < 60_000; waited += 5) {
    if (existsSync(file) && readFileSync(file, "utf8").split("\n").length > count) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${out} never had ${count} records`);
}

describe("a run", () => {
  let whole: Record<string, string>;

  it("lists what could not be read, and finishes the rest", async () => {
    const { code, out, err } = await faultline(...command("whole").filter((arg) => arg !== "--allow-failed"));
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(
        /1 of 9 samples failed and is in no number \(.*scene_4\.png: this is not a picture.*\); --allow-failed lets it pass\./,
      ),
    ]);
    expect(out).toMatch(/8 samples, cospgd in l_inf/);
    expect(out).toMatch(/1 sample failed:\n.*scene_4\.png: this is not a picture/);
    whole = bytes("whole");
    expect(Object.keys(whole).filter((f) => f.startsWith("images/"))).toHaveLength(many - 1);
    expect(Object.keys(whole)).not.toContain("lock");
  });

  it("killed in the middle and resumed has the bytes of one that was not", async () => {
    const { child, ended } = begin(command("killed"));
    await recorded("killed", 3);
    child.kill("SIGKILL");
    await ended;
    expect(existsSync(folder.path("killed", "lock"))).toBe(true);
    const records = readFileSync(folder.path("killed", "records.jsonl"), "utf8").split("\n").length - 1;
    expect(records).toBeLessThan(many);
    const { code, err } = await faultline(...command("killed"));
    expect(code).toBe(0);
    expect(err).toMatch(new RegExp(`resuming .*: ${records} of ${many}`));
    expect(bytes("killed")).toEqual(whole);
  });

  it("a torn last line is dropped and done again", async () => {
    const file = folder.path("killed", "records.jsonl");
    truncateSync(file, statSync(file).size - 7);
    const { code } = await faultline(...command("killed"));
    expect(code).toBe(0);
    expect(bytes("killed")).toEqual(whole);
  });

  it("interrupted stops with 130, says how to go on, and goes on", async () => {
    const { child, ended } = begin(command("stopped"));
    await recorded("stopped", 2);
    child.kill("SIGINT");
    const { code, err } = await ended;
    expect(err).toMatch(/stopped after \d+ of 9 samples; run the same command again/);
    expect(code).toBe(130);
    expect((await faultline(...command("stopped"))).code).toBe(0);
    expect(bytes("stopped")).toEqual(whole);
  });

  it("shards merged have the records, images and summary of the unbroken run", async () => {
    // Another way to spell the same paths makes no other run.
    const respelt = (args: string[], i: number) =>
      i === 2 ? args.map((a) => (a === model ? `${dirname(a)}/./${basename(a)}` : a === data ? `${data}/` : a)) : args;
    for (const i of [2, 1, 3]) expect((await faultline(...respelt(command(`shard${i}`, "--shard", `${i}/3`), i))).code).toBe(0);
    const shards = [1, 2, 3].map((i) => folder.path(`shard${i}`));
    const missing = await faultline("merge", ...shards.slice(1), "--out", folder.path("part"));
    expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/3 samples are missing/)]);
    expect((await faultline("merge", ...shards, "--out", folder.path("merged"))).code).toBe(0);
    const core = (name: string) => /^(run\.json|records\.jsonl|summary\.json|images\/.*)$/.test(name);
    expect(bytes("merged", core)).toEqual(bytes("whole", core));
    const twice = await faultline("merge", ...shards, shards[0]!, "--out", folder.path("twice"));
    expect([twice.code, twice.err]).toEqual([1, expect.stringMatching(/more than one/)]);
  });

  it("a second writer is refused while the first is alive", async () => {
    mkdirSync(folder.path("busy"));
    const other = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    writeFileSync(folder.path("busy", "lock"), JSON.stringify({ pid: other.pid, host: (await import("node:os")).hostname() }));
    const { code, err } = await faultline(...command("busy"));
    other.kill();
    expect([code, err]).toEqual([1, expect.stringMatching(/is being written by another process/)]);
  });

  it("other settings do not mix, unless nothing was recorded yet", async () => {
    const { code, err } = await faultline(...command("whole", "--seed", "5"));
    expect([code, err]).toEqual([1, expect.stringMatching(/seed is 0 there and 5 now/)]);
    expect((await faultline(...command("slip", "--loss", "l7"))).code).toBe(1);
    expect((await faultline(...command("slip", "--limit", "1"))).code).toBe(0);
  });

  it.skipIf(!existsSync("/dev/full"))("a full disk fails its samples, which the same command does later", async () => {
    mkdirSync(folder.path("full", "images"), { recursive: true });
    const picture = folder.path("full", "images", "scene_2.png");
    symlinkSync("/dev/full", picture);
    // As an attempt before left it: a run does not mix with files of others.
    writeFileSync(folder.path("full", "run.json"), "{}");
    const first = await faultline(...command("full"));
    expect([first.code, first.err]).toEqual([1, expect.stringMatching(/1 samples found the disk full/)]);
    const { unlinkSync } = await import("node:fs");
    unlinkSync(picture);
    expect((await faultline(...command("full"))).code).toBe(0);
    expect(bytes("full")).toEqual(whole);
  });
});

describe("tensors in place of a data set", () => {
  it("trace every step, and give the same bytes again", async () => {
    const run = (name: string) =>
      faultline(
        ...[
          "attack",
          model,
          "--task",
          "segmentation",
          "--steps",
          "3",
          "--input",
          inputs("segmentation"),
          "--start",
          inputs("segmentation"),
        ],
        ...[
          "--target",
          inputs("segmentation"),
          "--trace",
          folder.path(`${name}.trace.safetensors`),
          "--out",
          folder.path(`${name}.out.safetensors`),
        ],
      );
    const { code, out } = await run("one");
    expect(code).toBe(0);
    expect(out).toMatch(/mean loss .* clean, .* after cospgd/);
    await run("two");
    expect(readFileSync(folder.path("one.trace.safetensors"))).toEqual(readFileSync(folder.path("two.trace.safetensors")));
    const { tensors } = parseSafetensors(readFileSync(folder.path("one.trace.safetensors")));
    expect(Object.fromEntries([...tensors].map(([name, t]) => [name, t.shape]))).toMatchObject({
      x: [4, 2, 3, 12, 14],
      gradient: [3, 2, 3, 12, 14],
      weight: [3, 2, 12, 14],
      loss: [3],
      loss_plain: [4],
    });
  });
});

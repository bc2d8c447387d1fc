import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import { parseSafetensors, writeSafetensors } from "../../engine/tensor/safetensors.js";
import { faultline, scratch } from "../cli/testing/scene.js";

const golden = fileURLToPath(new URL("../../../fixtures/golden/criticality/", import.meta.url));
const start = fileURLToPath(new URL("../cli/testing/start.mjs", import.meta.url));
const folder = scratch();
afterAll(() => folder.remove());

/** So many images that memory of 1 MiB holds only a part of them, and that the last batch is not full. */
const images = folder.path("images.safetensors");
const count = 301;
beforeAll(() => {
  const { tensors } = parseSafetensors(readFileSync(join(golden, "inputs.safetensors")));
  const many = ["images", "labels"].map((name) => {
    const t = tensors.get(name)!;
    return [name, stack(Array.from({ length: count }, (_, i) => unstack(t, i % t.shape[0]!)))] as const;
  });
  mkdirSync(folder.path(), { recursive: true });
  writeFileSync(images, writeSafetensors(new Map(many)));
});

const command = (out: string, ...more: string[]) => [
  ...["criticality", join(golden, "network.onnx"), "--input", images, "--trials", "3", "--batch", "8", "--memory", "1"],
  ...["--share", "0.5", "--out", folder.path(out), ...more],
];

/** Every file of a run with its bytes; there are no folders. */
const bytes = (out: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder.path(out)).map((name) => [name, readFileSync(folder.path(out, name)).toString("latin1")]),
  );

const recordsIn = (out: string): number => {
  const file = folder.path(out, "records.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
};

/** Starts the command as a process of its own and sends it the signal when it has at least so many records. */
async function stopped(
  signal: NodeJS.Signals,
  records: number,
  args: readonly string[],
  out: string,
): Promise<{ code: number | null; err: string }> {
  const child: ChildProcess = spawn(process.execPath, [start, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let err = "";
  child.stderr!.on("data", (chunk) => {
    err += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for (let waited = 0; recordsIn(out) < records; waited += 5) {
    if (waited > 60_000 || child.exitCode !== null) throw new Error(`${out} never had ${records} records: ${err}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill(signal);
  return { code: await ended, err };
}

describe("a criticality run", () => {
  let whole: Record<string, string>;
  let total = 0;
  beforeAll(async () => {
    expect((await faultline(...command("whole"))).code).toBe(0);
    whole = bytes("whole");
    total = recordsIn("whole");
  });

  it("works on parts of the images where memory is short, and leaves no lock", () => {
    const chunks = new Set(
      whole["records.jsonl"]!.trim()
        .split("\n")
        .map((line) => JSON.parse(line).chunk),
    );
    expect(chunks.size).toBeGreaterThan(1);
    expect(Object.keys(whole).sort()).toEqual([
      "criticality.json",
      "criticality.svg",
      "records.jsonl",
      "report.html",
      "run.json",
    ]);
  });

  it("killed in the middle and resumed has the bytes of one that was not", async () => {
    await stopped("SIGKILL", Math.floor(total / 3), command("killed"), "killed");
    const done = recordsIn("killed");
    expect(done).toBeLessThan(total);
    expect(existsSync(folder.path("killed", "lock"))).toBe(true);
    const { code, err } = await faultline(...command("killed"));
    expect(code).toBe(0);
    expect(err).toContain(`${done} of ${total} resets are done`);
    expect(bytes("killed")).toEqual(whole);
  });

  it("a torn last line is dropped and done again", async () => {
    const file = folder.path("killed", "records.jsonl");
    truncateSync(file, statSync(file).size - 7);
    expect((await faultline(...command("killed"))).code).toBe(0);
    expect(bytes("killed")).toEqual(whole);
  });

  it("interrupted stops with 130, says how to go on, and goes on", async () => {
    const { code, err } = await stopped("SIGINT", 5, command("interrupted"), "interrupted");
    expect([code, err]).toEqual([130, expect.stringMatching(/stopped after \d+ of \d+ resets; run the same command again/)]);
    expect(recordsIn("interrupted")).toBeLessThan(total);
    expect((await faultline(...command("interrupted"))).code).toBe(0);
    expect(bytes("interrupted")).toEqual(whole);
  });

  it("shards merged have the bytes of the unbroken run, also where one was interrupted", async () => {
    const shard = (i: number) => command(`shard${i}`, "--shard", `${i}/3`);
    await stopped("SIGINT", 3, shard(2), "shard2");
    const paths = [1, 2, 3].map((i) => folder.path(`shard${i}`));
    for (const i of [2, 1, 3]) expect((await faultline(...shard(i))).code).toBe(0);
    const missing = await faultline("merge", ...paths.slice(1), "--out", folder.path("part"));
    expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/\d+ resets are missing/)]);
    const twice = await faultline("merge", ...paths, paths[0]!, "--out", folder.path("twice"));
    expect([twice.code, twice.err]).toEqual([1, expect.stringMatching(/more than one/)]);
    expect((await faultline("merge", ...paths, "--out", folder.path("merged"))).code).toBe(0);
    expect(bytes("merged")).toEqual(whole);
  });

  it("resumes and merges whatever way a path is spelt; what the files hold decides", async () => {
    const [model, input] = [folder.path("copy.onnx"), folder.path("copy.safetensors")];
    copyFileSync(join(golden, "network.onnx"), model);
    copyFileSync(images, input);
    const respelt = (args: readonly string[]) =>
      args.map((a) => (a === images ? input : a === join(golden, "network.onnx") ? model : a));
    const again = await faultline(...respelt(command("merged")));
    expect([again.code, again.err]).toEqual([0, expect.stringContaining(`${total} of ${total} resets are done`)]);
    expect((await faultline(...respelt(command("respelt2", "--shard", "2/3")))).code).toBe(0);
    const paths = ["shard1", "respelt2", "shard3"].map((name) => folder.path(name));
    expect((await faultline("merge", ...paths, "--out", folder.path("respelt"))).code).toBe(0);
    expect(bytes("respelt")).toEqual(whole);
    writeFileSync(input, writeSafetensors(new Map([["images", parseSafetensors(readFileSync(images)).tensors.get("images")!]])));
    const other = await faultline(...respelt(command("merged")));
    expect([other.code, other.err]).toEqual([1, expect.stringMatching(/holds a run with other settings/)]);
  });

  it("groups named in another order than the network's are merged alike", async () => {
    const groups = ["--together", "layer2.*", "layer1.*"];
    expect((await faultline(...command("groups", ...groups))).code).toBe(0);
    const shards = [1, 2].map((i) => folder.path(`groups${i}`));
    for (const i of [1, 2]) expect((await faultline(...command(`groups${i}`, ...groups, "--shard", `${i}/2`))).code).toBe(0);
    expect((await faultline("merge", ...shards, "--out", folder.path("groups-merged"))).code).toBe(0);
    expect(bytes("groups-merged")).toEqual(bytes("groups"));
  });

  it("an unfinished shard, and a shard of another run, cannot be merged", async () => {
    await stopped("SIGKILL", 3, command("half1", "--shard", "1/2"), "half1");
    const unfinished = await faultline("merge", folder.path("half1"), "--out", folder.path("none"));
    expect([unfinished.code, unfinished.err]).toEqual([1, expect.stringMatching(/is no finished shard/)]);
    const other = command("other", "--shard", "1/1", "--seed", "7", "--layers", "fc");
    expect((await faultline(...other)).code).toBe(0);
    const mixed = await faultline("merge", folder.path("shard1"), folder.path("other"), "--out", folder.path("none"));
    expect([mixed.code, mixed.err]).toEqual([1, expect.stringMatching(/other settings/)]);
  });
});

/**
 * What do workers of a sweep gain, and what does the coordinator cost?
 *
 *     npm run build && npx tsx bench/sweep.ts [--cells 8] [--passes 3] [--steps 200]
 *
 * The same cells (PGD on a small segmentation network, one thread each) with one worker and with two, in turn, each pass in a new directory. Beside the time
 * that passes stands the processor time of all processes: on a machine that is busy with other work, the second worker waits for a core, and only the
 * latter says what a sweep itself costs.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "./timing.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "bin", "faultline.js");
if (!existsSync(join(root, "dist"))) throw new Error("build first: npm run build");

const { values } = parseArgs({
  options: {
    cells: { type: "string", default: "8" },
    passes: { type: "string", default: "3" },
    steps: { type: "string", default: "200" },
  },
});
const [cells, passes, steps] = [values.cells, values.passes, values.steps].map(Number) as [number, number, number];

const folder = mkdtempSync(join(tmpdir(), "faultline-sweep-"));
for (const file of ["segmenter.onnx", "segmenter.spec.json"]) cpSync(join(root, "fixtures", "models", file), join(folder, file));
writeFileSync(
  join(folder, "plan.yaml"),
  `models: [{ path: segmenter.onnx, spec: { channels: rgb } }]
data: synthetic:96,length=2
attacks: [{ attack: pgd, epsilon: 8/255, steps: ${steps} }]
seeds: [${Array.from({ length: cells }, (_, i) => i)}]
audit: false
`,
);

/** Seconds that passed, and of the processor, of one sweep. */
async function measure(workers: number, name: string): Promise<{ readonly wall: number; readonly processor: number }> {
  const out = join(folder, name);
  const args = [program, "sweep", join(folder, "plan.yaml"), "--quiet", "--workers", String(workers), "--out", out];
  const began = performance.now();
  // The shell's own clock counts the children of children.
  const child = spawn("bash", ["-c", `TIMEFORMAT="%U %S"; time "$@"`, "bash", process.execPath, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  const wall = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`the sweep failed (${code}): ${said}`);
  const [user, system] = said.trim().split("\n").at(-1)!.split(" ").map(Number) as [number, number];
  rmSync(out, { recursive: true });
  return { wall, processor: user + system };
}

try {
  const rows: { readonly one: Awaited<ReturnType<typeof measure>>; readonly two: Awaited<ReturnType<typeof measure>> }[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const [one, two] = [await measure(1, `one-${pass}`), await measure(2, `two-${pass}`)];
    rows.push({ one, two });
    console.log(
      `pass ${pass + 1}: one worker ${one.wall.toFixed(1)} s (processor ${one.processor.toFixed(1)} s), two ${two.wall.toFixed(1)} s (processor ${two.processor.toFixed(1)} s), ${(one.wall / two.wall).toFixed(2)} times as fast; load ${loadavg()[0]!.toFixed(1)}`,
    );
  }
  const ratio = (of: (row: (typeof rows)[number]) => number) => median(rows.map(of)).toFixed(2);
  console.log(
    `median: two workers are ${ratio(({ one, two }) => one.wall / two.wall)} times as fast as one; they take ${ratio(({ one, two }) => two.processor / one.processor)} of its processor time`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

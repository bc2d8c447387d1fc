/**
 * A model of several gigabytes of weights: made, differentiated by the command line, and its gradient run, each in a process of its own that
 * says how long it took and how much memory it had at most.
 *
 *     npx tsx bench/large-model.ts [gigabytes, default 3] [folder, default the system's temporary one]
 *
 * The folder needs three times the size.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "../src/app/cli/main.js";
import { Graph } from "../src/engine/graph/graph.js";
import { readModel } from "../src/engine/onnx/read-file.js";
import { saveModel } from "../src/engine/onnx/write-file.js";
import { add, matMul, relu } from "../src/engine/operators/index.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { tensor } from "../src/engine/tensor/tensor.js";

const [width, rows] = [5120, 16];
const weightBytes = width * width * 4;

/** Uniform numbers of deviation √(2 / width), fast: Marsaglia's xorshift. */
function weights(seed: number): Float32Array {
  const values = new Float32Array(width * width);
  let state = (seed * 2654435761 + 1) >>> 0;
  const scale = (2 * Math.sqrt(6 / width)) / 2 ** 32;
  for (let i = 0; i < values.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    values[i] = (state - 2 ** 31) * scale;
  }
  return values;
}

/** Residual layers of 105 MB each. */
async function make(path: string, bytes: number): Promise<void> {
  const graph = new Graph();
  let h = graph.input("x", "float32", [rows, width]);
  for (let i = 0; i * weightBytes < bytes; i++)
    h = add(h, relu(matMul(h, graph.constant(tensor("float32", [width, width], weights(i)), `layer${i}.weight`))));
  graph.output("y", h);
  for (const file of await saveModel(graph.build(), path)) console.log(`  ${file}: ${(statSync(file).size / 1e9).toFixed(3)} GB`);
}

/** y and d.x of the written gradient, by ONNX Runtime from the file, and by the library from the model as it reads it. */
async function run(path: string, how: string): Promise<void> {
  // The gradient has each weight transposed as well. As written, that is computed at each run; optimized, all of them would be held twice.
  const engine = await createEngine({ optimization: "disabled" });
  const program = await engine.compile(how === "file" ? { path } : await readModel(path), { prepacking: "off" });
  const x = tensor("float32", [rows, width], new Float32Array(rows * width).fill(1));
  const results = await program.run({ x, "v.y": x });
  const sum = (name: string) => (results[name]!.data as Float32Array).reduce((s, v) => s + v, 0);
  console.log(`  sum of y ${sum("y").toPrecision(9)}, of d.x ${sum("d.x").toPrecision(9)}`);
  await engine.dispose();
}

const jobs: Readonly<Record<string, (...args: string[]) => Promise<unknown>>> = {
  make: (path, bytes) => make(path!, Number(bytes)),
  read: (path) => readModel(path!),
  grad: (path, out) => main(["grad", path!, "-o", out!]),
  run: (path, how) => run(path!, how!),
};

const [first, ...rest] = process.argv.slice(2);
if (first?.startsWith("--")) {
  const begin = performance.now();
  await jobs[first.slice(2)]!(...rest);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.log(
    `  ${((performance.now() - begin) / 1000).toFixed(1)} s (${((userCPUTime + systemCPUTime) / 1e6).toFixed(1)} s of processor), peak ${(maxRSS / 2 ** 20).toFixed(2)} GiB`,
  );
} else {
  const folder = mkdtempSync(join(rest[0] ?? tmpdir(), "faultline-large-"));
  const [model, gradient] = [join(folder, "model.onnx"), join(folder, "model.grad.onnx")];
  const job = (title: string, ...args: string[]) => {
    console.log(title);
    const node = ["--import", "tsx", fileURLToPath(import.meta.url), ...args];
    process.stdout.write(execFileSync(process.execPath, node, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
  };
  try {
    job("make", "--make", model, String(Number(first ?? 3) * 1e9));
    job("read", "--read", model);
    job("faultline grad", "--grad", model, gradient);
    for (const file of [gradient, `${gradient}.data`].filter((f) => existsSync(f)))
      console.log(`  ${file}: ${(statSync(file).size / 1e9).toFixed(3)} GB`);
    job("run from the file", "--run", gradient, "file");
    job("read and run", "--run", gradient, "read");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Holds the files that make.py wrote against Faultline: predictions against ONNX Runtime's own, plain and rewritten, and gradients against differences
 * of the function itself, as the test of ONNX's backend cases does; gradients of float16 files against those of their float32 twins; and files
 * with a twin beside them (twin.ts) against that. What ONNX Runtime refuses should be refused in a sentence.
 *
 *     python tools/random-search/make.py /tmp/search --seed 1 --count 1500
 *     npx tsx tools/random-search/run.ts /tmp/search
 *
 * Prints what is wrong, and what is refused with how often.
 */
import { gradientGraph } from "../../src/engine/autodiff/gradient-graph.js";
import { NotDifferentiableError, ZeroGradientError } from "../../src/engine/autodiff/obstacles.js";
import { lower } from "../../src/engine/compile/lower.js";
import { specialize } from "../../src/engine/compile/specialize.js";
import { type Graph, GraphError } from "../../src/engine/graph/graph.js";
import { ModelError } from "../../src/engine/onnx/model.js";
import { parseModel } from "../../src/engine/onnx/read.js";
import { Random } from "../../src/engine/tensor/random.js";
import { sizeOf, tensor, toNumbers } from "../../src/engine/tensor/tensor.js";
import { inType, retyped } from "../../src/engine/testing/retyped.js";
import { runModel } from "../../src/engine/testing/run-model.js";
import { caseNames, readCase } from "../../tests/onnx-backend/cases.js";
import { examine } from "../../tests/onnx-backend/examine.js";
import { differsFromTwin, hasTwin } from "./twin.js";

const [folder, part = ""] = process.argv.slice(2);
if (folder === undefined) throw new Error("Give the folder that make.py wrote to.");

const counts = new Map<string, number>();
const refusals = new Map<string, { count: number; first: string }>();
const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

for (const name of caseNames(folder, "node")) {
  if (!name.includes(part)) continue;
  if (name.startsWith("node/refused")) {
    await refusedAsWell(name);
    continue;
  }
  if (hasTwin(folder, name)) {
    await beside(name);
    continue;
  }
  const report = await examine(folder, name);
  for (const [kind, finding] of Object.entries({ forward: report.forward, gradient: report.gradient })) {
    if (!finding) continue;
    count(`${kind} ${finding.verdict}`);
    if (finding.verdict === "wrong") console.log(`WRONG ${kind} ${name}\n      ${finding.because}`);
    if (finding.verdict === "refused") refused(name, finding.because);
  }
  if (report.gradient?.because.startsWith("float16 is too coarse")) {
    const because = await twinDiffers(name).catch((error: Error) => error.message);
    count(`float16 gradient ${because ? "wrong" : "right"}`);
    if (because) console.log(`WRONG float16 gradient ${name}\n      ${because}`);
  }
}
for (const { count, first } of refusals.values()) console.log(`refused ${count}: ${first}`);
console.log([...counts].map(([what, n]) => `${what} ${n}`).join(" · "));

function isRefusal(error: unknown): boolean {
  return error instanceof ModelError || error instanceof GraphError || error instanceof NotDifferentiableError;
}

function refused(name: string, because: string): void {
  const key = because.replaceAll(/"[^"]*"|\d+/g, "#").slice(0, 90);
  const known = refusals.get(key) ?? { count: 0, first: `${name}: ${because}` };
  known.count++;
  refusals.set(key, known);
}

/** A quantized file beside its float network, or one in another element type beside its float32 twin. */
async function beside(name: string): Promise<void> {
  try {
    const because = await differsFromTwin(folder!, name);
    count(`twin ${because ? "wrong" : "right"}`);
    if (because) console.log(`WRONG twin ${name}\n      ${because}`);
  } catch (error) {
    const because = (error as Error).message;
    count(isRefusal(error) ? "twin refused" : "twin wrong");
    if (isRefusal(error)) refused(name, because);
    else console.log(`WRONG twin ${name}\n      ${because}`);
  }
}

/** A file that ONNX Runtime refuses: here it should be refused too, and in a sentence. */
async function refusedAsWell(name: string): Promise<void> {
  try {
    const { bytes, feeds } = readCase(folder!, name);
    const shapes = Object.fromEntries(Object.entries(feeds).map(([input, t]) => [input, t.shape]));
    await specialize(parseModel(bytes), shapes, (constants) => runModel(constants, {}));
    count("damaged accepted");
    console.log(`ACCEPTED ${name}`);
  } catch (error) {
    const said = isRefusal(error);
    count(`damaged ${said ? "refused" : "crashed"}`);
    if (!said) console.log(`WRONG ${name}\n      ${(error as Error).message}`);
  }
}

function gradientOf(graph: Graph): Graph | undefined {
  try {
    return gradientGraph(graph);
  } catch (error) {
    if (error instanceof ZeroGradientError) return undefined;
    throw error;
  }
}

/** What the gradient of a float16 file has that its float32 twin's has not. */
async function twinDiffers(name: string): Promise<string | undefined> {
  const { bytes, feeds } = readCase(folder!, name);
  const shapes = Object.fromEntries(Object.entries(feeds).map(([input, t]) => [input, t.shape]));
  const graph = await specialize(parseModel(bytes), shapes, (constants) => runModel(constants, {}));
  const random = new Random(1, name);
  const gradient = gradientOf(graph);
  if (!gradient) return undefined;
  const cotangents = gradient.inputs
    .filter((input) => !(input.name in feeds))
    .map(
      (input) =>
        [
          input.name,
          tensor(
            input.type,
            input.shape,
            Array.from({ length: sizeOf(input.shape) }, () => random.normal()),
          ),
        ] as const,
    );
  const all = { ...feeds, ...Object.fromEntries(cotangents) };
  const twin = gradientGraph(retyped(graph, "float32", "float16").graph);
  const widened = Object.entries(all).map(([input, t]) => [input, t.type === "float16" ? inType(t, "float32") : t] as const);
  const expected = await runModel(twin, Object.fromEntries(widened), "disabled");
  const gradients = new Set([...gradient.outputs.keys()].slice(graph.outputs.size));
  for (const variant of [gradient, lower(gradient, "cpu")]) {
    const found = await runModel(variant, all, "all");
    for (const [output, t] of Object.entries(expected)) {
      if (!gradients.has(output)) continue;
      const [a, b] = [toNumbers(found[output]!), toNumbers(t)];
      const difference = Math.hypot(...a.map((v, i) => v - b[i]!));
      if (!(difference <= 2e-2 * Math.hypot(...b) + 1e-6)) return `${output}: ${a.slice(0, 5)} instead of ${b.slice(0, 5)}`;
    }
  }
  return undefined;
}

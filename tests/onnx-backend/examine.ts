/** What becomes of one case of the ONNX backend tests: forward against the expected outputs, the gradient against finite differences. */
import { gradientGraph, namesBeside } from "../../src/engine/autodiff/gradient-graph.js";
import { NotDifferentiableError, ZeroGradientError } from "../../src/engine/autodiff/obstacles.js";
import { lower } from "../../src/engine/compile/lower.js";
import { specialize } from "../../src/engine/compile/specialize.js";
import { type Graph, GraphError } from "../../src/engine/graph/graph.js";
import { ModelError } from "../../src/engine/onnx/model.js";
import { parseModel } from "../../src/engine/onnx/read.js";
import { Random } from "../../src/engine/tensor/random.js";
import { isFloat, sizeOf, type Tensor, tensor, toNumbers } from "../../src/engine/tensor/tensor.js";
import { runModel } from "../../src/engine/testing/run-model.js";
import { type BackendCase, NotReadable, readCase, withConstants } from "./cases.js";

/**
 * - `right`: what was compared agrees.
 * - `refused`: Faultline says that it does not do this; `because` is its sentence.
 * - `runtime cannot`: ONNX Runtime does not load the file as it stands, or has other values than the reference implementation.
 * - `not comparable`: no reference: random operators, values that no tensor here holds; for gradients, points where the function has a kink, and
 *   element types too coarse for differences.
 * - `wrong`: everything else.
 */
export type Verdict = "right" | "refused" | "runtime cannot" | "not comparable" | "wrong";

export interface Finding {
  readonly verdict: Verdict;
  readonly because: string;
}

export interface Report {
  readonly name: string;
  readonly forward: Finding;
  /** Absent where there is nothing to differentiate. */
  readonly gradient?: Finding;
}

type Values = Readonly<Record<string, Tensor>>;

export async function examine(folder: string, name: string): Promise<Report> {
  let backend: BackendCase;
  try {
    backend = readCase(folder, name);
  } catch (error) {
    if (error instanceof NotReadable) return { name, forward: { verdict: "not comparable", because: error.message } };
    throw error;
  }
  const original = await attempt(() => runModel(backend.bytes, backend.feeds, "disabled"));
  if ("value" in original) {
    const again = await runModel(backend.bytes, backend.feeds, "disabled");
    if (firstDifference(original.value, again, 0)) return { name, forward: { verdict: "not comparable", because: "random" } };
  }
  const runtimeDiffers = "error" in original ? message(original.error) : firstDifference(original.value, backend.expected);

  const fixed = await specialized(backend);
  if ("error" in fixed) return { name, forward: refusal(fixed.error, "the model is not read") };
  const { graph, feeds } = fixed.value;
  const forward = await checkForward(graph, feeds, backend.expected, runtimeDiffers);
  if (forward.verdict !== "right") return { name, forward };
  const gradient = await checkGradient(graph, feeds, name);
  return { name, forward, ...(gradient && { gradient }) };
}

interface Specialized {
  readonly graph: Graph;
  readonly feeds: Values;
}

/** As it stands, and where that is refused with its integers, then all but its first input, as constants. */
async function specialized(backend: BackendCase): Promise<{ value: Specialized } | { error: unknown }> {
  const names = Object.keys(backend.feeds);
  const whole = names.filter((name) => !isFloat(backend.feeds[name]!.type));
  const attempts = [[], whole, names.slice(1), [...new Set([...whole, ...names.slice(1)])]];
  let first: { error: unknown } | undefined;
  for (const constants of attempts) {
    const bytes = constants.length > 0 ? withConstants(backend, constants) : backend.bytes;
    const feeds = Object.fromEntries(Object.entries(backend.feeds).filter(([name]) => !constants.includes(name)));
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, t.shape]));
    const result = await attempt(async () => ({
      graph: await specialize(parseModel(bytes), shapes, (constants) => runModel(constants, {})),
      feeds,
    }));
    if ("value" in result) return result;
    if (!isRefusal(result.error)) return result;
    first ??= result;
  }
  return first!;
}

async function checkForward(graph: Graph, feeds: Values, expected: Values, runtimeDiffers: string | undefined): Promise<Finding> {
  for (const form of forms) {
    const written = await attempt(async () => writtenAs(form, graph));
    if ("error" in written) return refusal(written.error, `${form}: not written`);
    const found = await attempt(() => runModel(written.value, feeds, "all"));
    const difference = "error" in found ? message(found.error) : firstDifference(found.value, expected);
    if (!difference) continue;
    if (runtimeDiffers) return { verdict: "runtime cannot", because: runtimeDiffers };
    return { verdict: "wrong", because: `${form}: ${difference}` };
  }
  return { verdict: "right", because: "" };
}

const forms = ["plain", "rewritten"] as const;
const writtenAs = (form: (typeof forms)[number], graph: Graph) => (form === "plain" ? graph : lower(graph, "cpu"));

/** Along a random direction, and weighed with random cotangents: one number that every element of every gradient takes part in. */
async function checkGradient(graph: Graph, feeds: Values, seed: string): Promise<Finding | undefined> {
  const smooth = graph.inputs.filter(({ name, type }) => isFloat(type) && name in feeds);
  const differentiated = [...graph.outputs].filter(([, { type }]) => isFloat(type));
  if (smooth.length === 0 || differentiated.length === 0) return undefined;
  // By convention, not by calculus: rounding passes the gradient, and a scale's own dependence on the values cancels out.
  if (graph.nodes.some(({ operator }) => Object.values(operator.integers ?? {}).includes("numbers")))
    return { verdict: "not comparable", because: "quantization has a straight-through gradient" };
  const built = await attempt(async () => gradientGraph(graph));
  // That the gradient is 0 everywhere is an answer, which the differences must confirm.
  if ("error" in built && !(built.error instanceof ZeroGradientError)) return refusal(built.error, "no gradient");
  const written = "value" in built ? forms.map((form) => [form, writtenAs(form, built.value)] as const) : [];

  // what the gradient adds is named after what it belongs to
  const names = namesBeside(graph);
  const cotangentNames = new Map(differentiated.map(([name]) => [name, names.fresh(`v.${name}`)]));
  const gradientNames = new Map(
    graph.inputs.filter(({ type }) => isFloat(type)).map(({ name }) => [name, names.fresh(`d.${name}`)]),
  );
  const random = new Random(1, seed);
  const noise = (size: number) => Array.from({ length: size }, () => random.normal());
  const direction = new Map(smooth.map(({ name }) => [name, noise(sizeOf(feeds[name]!.shape))]));
  const cotangents = differentiated.map(([name, { type, shape }]) => {
    return [cotangentNames.get(name)!, tensor(type, shape, noise(sizeOf(shape)))] as const;
  });
  const slopes: number[] = "value" in built ? [] : [0];
  let noiseOfTies = 0;
  for (const [form, gradient] of written) {
    const found = await attempt(() => runModel(gradient, { ...feeds, ...Object.fromEntries(cotangents) }, "all"));
    if ("error" in found) return { verdict: "wrong", because: `${form}: the gradient does not run: ${message(found.error)}` };
    const terms = smooth.flatMap(({ name }) => {
      const u = direction.get(name)!;
      return toNumbers(found.value[gradientNames.get(name)!]!).map((d, j) => d * u[j]!);
    });
    slopes.push(sum(terms));
    // The steps move some of many windows across a tie: that is of the size of a tenth of a random walk through all terms.
    if (terms.length > 4096) noiseOfTies = 0.1 * Math.sqrt(inner(terms, terms));
  }
  if (smooth.some(({ type }) => type === "float16"))
    return { verdict: "not comparable", because: "float16 is too coarse for differences" };

  const along = async (step: number) => {
    const moved = Object.entries(feeds).map(([name, t]) => {
      const u = direction.get(name);
      const values = u && toNumbers(t).map((x, i) => x + step * u[i]!);
      return [name, values ? tensor(t.type, t.shape, values) : t] as const;
    });
    const at = await runModel(graph, Object.fromEntries(moved), "disabled");
    return sum(differentiated.map(([name], i) => inner(toNumbers(cotangents[i]![1]), toNumbers(at[name]!))));
  };
  const here = await along(0);
  const sides: Sides[] = [];
  for (const step of [1e-2, 4e-3, 1.5e-3]) {
    const moved = await attempt(async () => [await along(step), await along(-step)] as const);
    if ("error" in moved) return { verdict: "not comparable", because: "the operator is not defined a step further" };
    const [after, before] = moved.value;
    sides.push({ step, forward: (after - here) / step, backward: (here - before) / step });
  }
  return compareWithDifferences(slopes, sides, here, noiseOfTies);
}

interface Sides {
  readonly step: number;
  readonly forward: number;
  readonly backward: number;
}

/**
 * Near a smooth point the two one-sided differences come together as the step shrinks; across a kink they stay apart, and near a jump they grow.
 * The cases are full of ties and zeros, so this is common.
 */
function compareWithDifferences(slopes: readonly number[], sides: readonly Sides[], here: number, noise: number): Finding {
  const central = sides.map(({ forward, backward }) => (forward + backward) / 2);
  const last = sides.at(-1)!;
  // float32 holds `here` to 6e-8 of its size
  const rounding = (3e-7 * (Math.abs(here) + 1)) / last.step;
  const size = Math.max(...central.map(Math.abs));
  const near = (slope: number) => central.some((d) => Math.abs(slope - d) <= 1e-2 * size + rounding + noise);
  if (slopes.every(near)) return { verdict: "right", because: "" };
  const apart = sides.map(({ forward, backward }) => Math.abs(forward - backward));
  const settles = apart.at(-1)! <= 0.4 * apart[0]! + 2 * rounding;
  const agrees = Math.max(...central) - Math.min(...central) <= 2e-2 * size + rounding;
  if (!settles || !agrees) return { verdict: "not comparable", because: "at a kink, or too steep for differences" };
  return { verdict: "wrong", because: `slopes ${slopes.join(" and ")}, differences ${central.join(", ")}` };
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const inner = (a: readonly number[], b: readonly number[]) => a.reduce((total, v, i) => total + v * b[i]!, 0);

const isRefusal = (error: unknown) =>
  error instanceof ModelError || error instanceof GraphError || error instanceof NotDifferentiableError;

/** Sentences that lay the cause at the model's door. The cases are right as they are, so such a sentence is a false one. */
const blame =
  /damaged|hostile|cut short|export it again|not a whole|check that it is|is not an ONNX model|fetch or export|impossible/i;

function refusal(error: unknown, what: string): Finding {
  const because = message(error);
  if (!isRefusal(error)) return { verdict: "wrong", because: `${what}: ${because}` };
  if (blame.test(because)) return { verdict: "wrong", because: `blames the model: ${because}` };
  return { verdict: "refused", because };
}

async function attempt<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

const message = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, " ").slice(0, 400);

/** The tolerances of the ONNX project's own runner are 1e-3 and 1e-7; float16 cannot keep them, which has 11 bits of the largest number about. */
function firstDifference(found: Values, expected: Values, tolerance = 1e-3): string | undefined {
  for (const [name, want] of Object.entries(expected)) {
    const got = found[name];
    if (!got) return `${name} is missing`;
    if (got.shape.join() !== want.shape.join()) return `${name} has shape [${got.shape}] instead of [${want.shape}]`;
    const [a, b] = [toNumbers(got), toNumbers(want)];
    const finest = want.type === "float16" ? 2e-3 * Math.max(1e-3, ...b.filter(Number.isFinite).map(Math.abs)) : 2e-6;
    const i = b.findIndex(
      (v, j) => !(Object.is(v, a[j]) || v === a[j] || Math.abs(v - a[j]!) <= tolerance * Math.abs(v) + (tolerance && finest)),
    );
    if (i >= 0) return `${name}[${i}] is ${a[i]} instead of ${b[i]}`;
  }
  return undefined;
}

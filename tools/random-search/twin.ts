/**
 * A file beside its float32 twin (twin.onnx): outputs and gradients, as they are and rewritten. Of a quantized file the gradient points where that of
 * the float network does; one in another element type agrees with it to that type's rounding.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gradientGraph } from "../../src/engine/autodiff/gradient-graph.js";
import { ZeroGradientError } from "../../src/engine/autodiff/obstacles.js";
import { lower } from "../../src/engine/compile/lower.js";
import { specialize } from "../../src/engine/compile/specialize.js";
import type { Graph } from "../../src/engine/graph/graph.js";
import { parseModel } from "../../src/engine/onnx/read.js";
import { Random } from "../../src/engine/tensor/random.js";
import { type FloatType, isFloat, sizeOf, type Tensor, tensor, toNumbers } from "../../src/engine/tensor/tensor.js";
import { inType } from "../../src/engine/testing/retyped.js";
import { runModel } from "../../src/engine/testing/run-model.js";
import { readCase } from "../../tests/onnx-backend/cases.js";

type Values = Readonly<Record<string, Tensor>>;

interface Derived {
  readonly graph: Graph;
  readonly gradient?: Graph;
}

export const hasTwin = (folder: string, name: string): boolean => existsSync(join(folder, name, "twin.onnx"));

/** What differs, or undefined. Throws what the engine throws. */
export async function differsFromTwin(folder: string, name: string): Promise<string | undefined> {
  const { bytes, feeds } = readCase(folder, name);
  const shapes = Object.fromEntries(Object.entries(feeds).map(([input, t]) => [input, t.shape]));
  const derive = async (file: Uint8Array): Promise<Derived> => {
    const graph = await specialize(parseModel(file), shapes, (constants) => runModel(constants, {}));
    try {
      return { graph, gradient: gradientGraph(graph) };
    } catch (error) {
      if (error instanceof ZeroGradientError) return { graph };
      throw error;
    }
  };
  const twin = await derive(new Uint8Array(readFileSync(join(folder, name, "twin.onnx"))));
  const own = await derive(bytes);
  const random = new Random(1, name);
  const noise = (size: number) => Array.from({ length: size }, () => random.normal());
  const cotangents = [...twin.graph.outputs.values()].map((v) => noise(sizeOf(v.shape)));
  const expected = await valuesOf(twin, twin.gradient ?? twin.graph, feeds, cotangents, "disabled");
  const sameGradient = (own.gradient === undefined) === (twin.gradient === undefined);
  if (!sameGradient && !expected.gradients.every((g) => g.every((v) => v === 0)))
    return `${own.gradient ? "a gradient" : "no gradient"}, where the twin has ${twin.gradient ? "one" : "none"}`;
  for (const form of ["plain", "rewritten"] as const) {
    const graph = own.gradient ?? own.graph;
    const found = await valuesOf(own, form === "plain" ? graph : lower(graph, "cpu"), feeds, cotangents, "all");
    for (const part of ["outputs", "gradients"] as const) {
      for (const [i, want] of expected[part].entries()) {
        const difference = found[part][i] && differs(found[part][i], want, part, name);
        if (difference) return `${form}, ${part} ${i}: ${difference}`;
      }
    }
  }
  return undefined;
}

/** All floating-point outputs and all gradients, in the file's order. */
async function valuesOf(
  { graph, gradient }: Derived,
  whole: Graph,
  feeds: Values,
  cotangents: readonly number[][],
  level: "disabled" | "all",
): Promise<{ outputs: number[][]; gradients: number[][] }> {
  const own = graph.inputs.length;
  // names of cotangents may have got a number; the longest that fits is the output's
  const names = [...graph.outputs.keys()];
  const outputOf = (cotangent: string): number => {
    const fitting = names.filter((name) => cotangent.startsWith(`v.${name}`)).sort((a, b) => b.length - a.length);
    return names.indexOf(fitting[0]!);
  };
  const given = whole.inputs.map((input, i): [string, Tensor] => {
    const fed = feeds[input.name];
    if (i >= own) return [input.name, tensor(input.type, input.shape, cotangents[outputOf(input.name)]!)];
    return [input.name, fed && isFloat(fed.type) ? inType(fed, input.type as FloatType) : fed!];
  });
  const found = await runModel(whole, Object.fromEntries(given), level);
  const numbers = [...whole.outputs].map(([name, v]) => ({ v, values: toNumbers(found[name]!) }));
  const outputs = numbers.slice(0, graph.outputs.size).filter(({ v }) => isFloat(v.type));
  return {
    outputs: outputs.map(({ values }) => values),
    gradients: gradient ? numbers.slice(graph.outputs.size).map(({ values }) => values) : [],
  };
}

const quantized = /_(qoperator|qdq|integer|few_bits)_/;

function differs(a: readonly number[], b: readonly number[], part: string, name: string): string | undefined {
  if (a.length !== b.length) return `${a.length} elements instead of ${b.length}`;
  const finite = b.map(Number.isFinite);
  if (a.some((v, i) => Number.isFinite(v) !== finite[i]))
    return `not finite elsewhere: ${a.slice(0, 6)} instead of ${b.slice(0, 6)}`;
  const [p, q] = [a, b].map((values) => values.filter((_, i) => finite[i]));
  const [norm, other] = [Math.hypot(...p!), Math.hypot(...q!)];
  if (quantized.test(name)) {
    if (other < 1e-9 && norm < 1e-6) return undefined;
    const cosine = p!.reduce((total, v, i) => total + v * q![i]!, 0) / (norm * other);
    const least = part === "outputs" ? 0.98 : 0.93;
    if (!(cosine >= least && norm / other > 0.75 && norm / other < 1.33))
      return `cosine ${cosine.toFixed(3)}, norm ${(norm / other).toFixed(3)}: ${a.slice(0, 6)} instead of ${b.slice(0, 6)}`;
    return undefined;
  }
  const tolerance = name.includes("bfloat16") ? 6e-2 : name.includes("float16") ? 2e-2 : 1e-4;
  const error = Math.hypot(...p!.map((v, i) => v - q![i]!));
  if (!(error <= tolerance * other + 1e-5))
    return `off by ${(error / other).toExponential(1)}: ${a.slice(0, 6)} instead of ${b.slice(0, 6)}`;
  return undefined;
}

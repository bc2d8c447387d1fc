import { gradientGraph, tangentGraph, weightNames, zeroOutputs } from "../../../engine/autodiff/gradient-graph.js";
import { lower } from "../../../engine/compile/lower.js";
import { neededNodes } from "../../../engine/graph/copy.js";
import { flops, peakMemory } from "../../../engine/graph/cost.js";
import type { Graph } from "../../../engine/graph/graph.js";
import { toLowestOpset } from "../../../engine/onnx/index.js";
import type { Program } from "../../../engine/runtime/engine.js";
import { probe } from "../../../engine/summary/probe.js";
import { randomness } from "../../../engine/summary/randomness.js";
import type { GradFlags } from "../commands/grad.js";
import { UsageError } from "../errors.js";
import { openModel, withEngine } from "./engine.js";
import { demandOutput, saveChecked, withinMemory } from "./write.js";

/** `faultline grad model.onnx -o model.grad.onnx` */
export async function grad(path: string, flags: GradFlags): Promise<void> {
  if (flags.forward && flags.weights)
    throw new UsageError(
      "--weights asks for a gradient with respect to each weight, which --forward does not make; name one of them.",
    );
  demandOutput(flags.output, [path]);
  await withEngine(flags, async (engine) => {
    const keep = flags.weights || flags.wrt ? "weights" : "nothing";
    const { graph } = await openModel(path, flags.shape ?? {}, engine, { keep, outputs: flags.of });
    if (flags.weights && weightNames(graph).length === 0)
      throw new UsageError(
        `${path} has no initializers: its exporter wrote the weights as Constant nodes; name those you want with --wrt.`,
      );
    const options = { rounding: flags.rounding, ...(flags.of && { of: flags.of }), ...(flags.wrt && { wrt: flags.wrt }) };
    const derivative = flags.forward
      ? tangentGraph(graph, options)
      : gradientGraph(graph, { ...options, ...(flags.weights && { weights: "include" as const }) });
    const lowered = flags.rewrites === "provider" ? lower(derivative, engine.info.provider) : derivative;
    const { graph: within, note } = withinMemory(lowered, flags.memory);
    const written = toLowestOpset(within.build());
    const zero = zeroOutputs(derivative).filter((name) => !graph.outputs.has(name));
    const remarks = zero.map((name) => `${name} is 0 everywhere, for nothing differentiable leads there.`);
    const random = randomness(derivative.outputs.values());
    if (random) remarks.push(random);
    const weights = flags.externalData ? "beside" : "as needed";
    const isTried = flags.probe !== "none" && (flags.probe !== "quick" || isQuick(derivative));
    const trial = async (program: Pick<Program, "run">) => void remarks.push(...(await tried(program, graph, derivative, zero)));
    const files = await saveChecked(engine, written, flags.output, weights, isTried ? trial : undefined);
    const list = (values: readonly { name: string; type: string; shape: unknown }[]) =>
      values.map((v) => `  ${v.name}: ${v.type}[${String(v.shape).replaceAll(",", ", ")}]`).join("\n");
    process.stdout.write(
      `${files}: ${written.graph.nodes.length} nodes, opset ${written.opset}\n${note}inputs\n${list(written.graph.inputs)}\noutputs\n${list(written.graph.outputs)}\n`,
    );
    for (const remark of remarks) process.stderr.write(`note: ${remark}\n`);
  });
}

/** Sentences on derivatives that a run on random numbers finds 0 everywhere or not finite. `zero`: known to be 0 without. */
async function tried(program: Pick<Program, "run">, model: Graph, derivative: Graph, zero: readonly string[]): Promise<string[]> {
  const remarks: string[] = [];
  const own = new Set(model.inputs.map(({ name }) => name));
  const directions = derivative.inputs.flatMap(({ name }) => (own.has(name) ? [] : [name]));
  const outputs = [...derivative.outputs.keys()].filter((name) => !zero.includes(name));
  try {
    for (const { name, kind, elements, found } of await probe(program, derivative.inputs, { directions, outputs })) {
      if (kind === "not finite")
        remarks.push(`${name} is NaN or infinite in ${found} of ${elements} elements at a random input.`);
      else if (!model.outputs.has(name))
        remarks.push(`${name} is 0 in every element at a random input: is that saturated, or cut off?`);
    }
  } catch (error) {
    remarks.push(`it was not tried on random numbers: ${(error as Error).message}`);
  }
  return remarks;
}

/** Whether a run takes about a second at most, and little memory. */
function isQuick(graph: Graph): boolean {
  const work = neededNodes(graph.outputs.values()).reduce((sum, node) => sum + flops(node), 0);
  return work <= 2e10 && peakMemory(graph) <= 2 ** 29;
}

import { gradientGraph, weightNames } from "../../../engine/autodiff/gradient-graph.js";
import { lower } from "../../../engine/compile/lower.js";
import { toLowestOpset } from "../../../engine/onnx/index.js";
import type { GradFlags } from "../commands/grad.js";
import { UsageError } from "../errors.js";
import { openModel, withEngine } from "./engine.js";
import { saveChecked, withinMemory } from "./write.js";

/** `faultline grad model.onnx -o model.grad.onnx` */
export async function grad(path: string, flags: GradFlags): Promise<void> {
  await withEngine(flags, async (engine) => {
    const keep = flags.weights || flags.wrt ? "weights" : "nothing";
    const { graph } = await openModel(path, flags.shape ?? {}, engine, { keep, outputs: flags.of });
    if (flags.weights && weightNames(graph).length === 0)
      throw new UsageError(
        `${path} has no initializers: its exporter wrote the weights as Constant nodes; name those you want with --wrt.`,
      );
    const gradient = gradientGraph(graph, {
      rounding: flags.rounding,
      ...(flags.of && { of: flags.of }),
      ...(flags.wrt && { wrt: flags.wrt }),
      ...(flags.weights && { weights: "include" as const }),
    });
    const lowered = flags.rewrites === "provider" ? lower(gradient, engine.info.provider) : gradient;
    const { graph: within, note } = withinMemory(lowered, flags.memory);
    const written = toLowestOpset(within.build());
    const files = await saveChecked(engine, written, flags.output, flags.externalData ? "beside" : "as needed");
    const list = (values: readonly { name: string; type: string; shape: unknown }[]) =>
      values.map((v) => `  ${v.name}: ${v.type}[${String(v.shape).replaceAll(",", ", ")}]`).join("\n");
    process.stdout.write(
      `${files}: ${written.graph.nodes.length} nodes, opset ${written.opset}\n${note}inputs\n${list(written.graph.inputs)}\noutputs\n${list(written.graph.outputs)}\n`,
    );
  });
}

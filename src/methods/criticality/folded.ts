import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Layer } from "./layer.js";

/** That batch normalization seems to have been folded into convolutions, and what speaks for it. */
export interface FoldedNormalization {
  readonly layers: readonly string[];
  readonly because: string;
}

/**
 * Detects that batch normalization was folded into the convolutions before it: the file has no BatchNormalization, and convolutions have
 * biases and weights under names that fusing exporters make up (`onnx::Conv_193`, `..._folded`, `fused_...`, `..._bn_...`).
 *
 * @returns undefined where normalizations are present, or nothing speaks for folding.
 */
export function foldedNormalization(file: OnnxModel, layers: readonly Layer[]): FoldedNormalization | undefined {
  if (file.graph.nodes.some((node) => /Normalization$/.test(node.op))) return undefined;
  const convolutions = layers.filter((l) => l.kind === "convolution" && l.parameters.some((p) => p.role === "bias"));
  const fused = convolutions.filter((l) =>
    l.parameters.some(
      (p) => p.role === "weight" && /^onnx::Conv_\d+$|folded|fused|fusion|[._]bn\d*([._]|$)|batch_?norm/i.test(p.inFile.name),
    ),
  );
  if (fused.length === 0) return undefined;
  return {
    layers: fused.map((l) => l.name),
    because: `${fused.length} of ${layers.length} layers are convolutions with a bias whose weights bear names of fused tensors (${fused[0]!.parameters[0]!.inFile.name}), and the file has no normalization`,
  };
}

/** What folding means for the numbers, and how to avoid it. */
export const foldedAdvice =
  "Batch normalization was folded into the convolutions before export. Resetting such a layer resets the convolution and its normalization at once, with a fresh bias where the network has the normalization's shift, and fresh weights that no normalization scales: the numbers cannot be compared with published ones, which reset the convolution alone. Export without folding: model.eval(); torch.onnx.export(model, x, path, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False), in newer PyTorch with dynamo=False.";

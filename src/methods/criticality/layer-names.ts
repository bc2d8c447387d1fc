import type { OnnxNode } from "../../engine/onnx/model.js";
import { isWeighted, type LayerKind } from "./layer.js";

/** Endings that say what a tensor is within its module: PyTorch, Keras, Paddle, fused exports. */
const endings =
  /([._/](weight|bias|kernel|gamma|beta|scale|running_mean|running_var|moving_mean|moving_variance|weight_g|weight_v|w|b|W|B)(:\d+)?|\.[wb]_\d+|_(weight|bias))$/;

/** Names that exporters make up where they have lost the module's own. */
const madeUp = /^(onnx::\w+_\d+|\d+|\w*_?constant[_\d]*|initializer[_\d]*|val_\d+)$/i;

/**
 * The name of the module that a tensor belongs to: `layer1.0.conv1` for `layer1.0.conv1.weight`, `conv2d_3` for `conv2d_3.w_0`. Where the
 * exporter made the tensor's name up, the path in the node's name serves: `/layer1/layer1.0/conv1/Conv` is `layer1.0.conv1`.
 */
export function layerName(tensorName: string, node: OnnxNode): string {
  if (!madeUp.test(tensorName)) return tensorName.replace(/\/(read|ReadVariableOp)(:\d+)?$/, "").replace(endings, "");
  return nodePath(node) || tensorName;
}

/** PyTorch's module path from a node's name; a module that is called again has a number behind it, which is dropped. */
export function nodePath(node: OnnxNode): string {
  const parts = node.name.split("/").filter((part) => part !== "");
  if (parts.length < 2) return node.name;
  const path: string[] = [];
  for (const part of parts.slice(0, -1)) {
    // members of a Sequential repeat its name: /layer1/layer1.0/conv1
    if (path.length > 0 && part.startsWith(`${path.at(-1)}.`)) path.pop();
    path.push(part);
  }
  return path.join(".").replace(/_\d+$/, "");
}

/**
 * Stages by the first part of the names, where names have parts; by resolution otherwise. Layers on pooled values within the network
 * (squeeze-and-excitation) belong to the stage that they are in.
 */
export function stagesOf(
  layers: readonly { readonly name: string; readonly resolution: string; readonly kind: LayerKind }[],
): string[] {
  const first = layers.map(({ name }) => name.replace(/^(module|model|net|encoder\.net|backbone)\./, "").split(/[./]/)[0]!);
  const distinct = new Set(first).size;
  const alone = (i: number) => !isWeighted(layers[i]!.kind) && first.filter((name) => name === first[i]).length === 1;
  const telling = distinct > 1 && distinct <= Math.max(2, layers.length / 2);
  // a normalisation that is no part of anything (bn1 behind conv1) belongs to what it follows
  if (telling) return first.map((stage, i) => (alone(i) ? (first.slice(0, i).findLast((_, j) => !alone(j)) ?? stage) : stage));
  const pooled = (resolution: string) => resolution === "1x1" || resolution === "vector";
  let current = layers[0]?.resolution ?? "";
  return layers.map(({ resolution }, i) => {
    const within = pooled(resolution) && layers.slice(i).some((l) => !pooled(l.resolution));
    if (!within) current = resolution;
    return current;
  });
}

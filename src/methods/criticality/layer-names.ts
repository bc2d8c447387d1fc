import type { Node } from "../../engine/graph/graph.js";
import { modulePath } from "../../engine/graph/module-path.js";
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
export function layerName(tensorName: string, node: Pick<Node, "name">): string {
  if (!madeUp.test(tensorName)) return tensorName.replace(/\/(read|ReadVariableOp)(:\d+)?$/, "").replace(endings, "");
  return nodePath(node) || tensorName;
}

/** PyTorch's module path from a node's name; a module that is called again has a number behind it, which is dropped. */
export const nodePath = ({ name }: Pick<Node, "name">): string => modulePath(name)?.replace(/_\d+$/, "") ?? name;

/**
 * Stages by the first part of the names, where names have parts; by resolution otherwise. Where one part holds most of the network (`blocks.0.attn`,
 * `encoder.layers.0.mlp`), its members tell the stages. Layers on pooled values within the network
 * (squeeze-and-excitation) belong to the stage that they are in.
 */
export function stagesOf(
  layers: readonly { readonly name: string; readonly resolution: string; readonly kind: LayerKind }[],
): string[] {
  const paths = layers.map(({ name }) => name.replace(/^(module|model|net|encoder\.net|backbone)\./, "").split(/[./]/));
  const first = withinLargest(
    paths,
    paths.map((path) => path[0]!),
    1,
  );
  const distinct = new Set(first).size;
  const alone = (i: number) => !isWeighted(layers[i]!.kind) && first.filter((name) => name === first[i]).length === 1;
  const telling = distinct > 1 && distinct <= Math.max(2, layers.length / 2);
  // a normalization that is no part of anything (bn1 behind conv1) belongs to what it follows
  if (telling) return first.map((stage, i) => (alone(i) ? (first.slice(0, i).findLast((_, j) => !alone(j)) ?? stage) : stage));
  const pooled = (resolution: string) => resolution === "1x1" || resolution === "vector";
  let current = layers[0]?.resolution ?? "";
  return layers.map(({ resolution }, i) => {
    const within = pooled(resolution) && layers.slice(i).some((l) => !pooled(l.resolution));
    if (!within) current = resolution;
    return current;
  });
}

/** Stages with the one that holds most layers taken apart by the next part of the names; one with a number of its own (`layer3`) is one already. */
function withinLargest(paths: readonly (readonly string[])[], stages: readonly string[], depth: number): readonly string[] {
  const sizes = new Map<string, number>();
  for (const stage of stages) sizes.set(stage, (sizes.get(stage) ?? 0) + 1);
  const [largest, size] = [...sizes].find(([stage, n]) => n > stages.length / 2 && !/\d$/.test(stage)) ?? [];
  if (largest === undefined || size === undefined) return stages;
  // the last part is the layer's own
  const next = stages.map((stage, i) =>
    stage === largest && paths[i]!.length > depth + 1 ? paths[i]!.slice(0, depth + 1).join(".") : stage,
  );
  const parts = new Set(next.filter((_, i) => stages[i] === largest)).size;
  if (parts === 1) return next[stages.indexOf(largest)] === largest ? stages : withinLargest(paths, next, depth + 1);
  return size / parts < 2 ? stages : withinLargest(paths, next, depth + 1);
}

import { type RewriteContext, rewrite } from "../../engine/compile/rewrite.js";
import type { Graph, Node, Value } from "../../engine/graph/graph.js";
import { isFloat } from "../../engine/tensor/tensor.js";
import { type Form, forms, Left, placeLabel } from "../../vision/resampling/index.js";
import { downChoices, upChoices } from "./choices.js";
import type { DownChoiceName, UpChoiceName } from "./names.js";

export interface RetrofitOptions {
  /** What layers that lower the resolution get; absent: they stay. */
  readonly down?: DownChoiceName;
  /** What layers that raise it get; absent: they stay. */
  readonly up?: UpChoiceName;
}

/** What became of one layer that changes the resolution. */
export interface Change {
  /** `Conv "name"`, or `MaxPool -> "map"` by the map that it makes where the file names no nodes. */
  readonly node: string;
  readonly form: string;
  readonly direction: Form["direction"];
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** The choice that took its place, or why it stays. */
  readonly outcome: { readonly kind: "replaced"; readonly by: string } | { readonly kind: "left"; readonly because: string };
}

/**
 * Replaces how an imported model changes resolutions. Weights are kept. A layer of stride s becomes the same layer at stride 1, a low-pass, and every s-th
 * sample: what aliased is gone, all else is as it was. A layer that raises the resolution becomes a transposed convolution with room for a
 * large context, which begins as the same function.
 *
 * @param graph specialized; its sides are fixed, for the low-pass is a matrix of the map's size.
 * @returns the new graph, what became of every layer that changes the resolution, and for what was replaced the names of its output before and now.
 * @example const { graph, changes } = retrofit(await specialize(model, shapes, evaluate, { keep: "weights" }), { down: "flc", up: "lctc-7" });
 */
export function retrofit(
  graph: Graph,
  options: RetrofitOptions,
): { readonly graph: Graph; readonly changes: readonly Change[]; readonly renamed: ReadonlyMap<string, string> } {
  const changes: Change[] = [];
  const renamed = new Map<string, string>();
  const apply = (node: Node, { graph: made }: RewriteContext): readonly Value[] | undefined => {
    for (const form of forms) {
      const found = form.find(node);
      if (!found) continue;
      const name = node.name || found.after.name;
      const [replacement, by] = made.inside(name, () => replaced(form, node, found.after, options, name));
      changes.push({
        node: placeLabel({ node, after: found.after }),
        form: form.name,
        direction: form.direction,
        before: found.before.shape,
        after: found.after.shape,
        outcome: replacement instanceof Left ? { kind: "left", because: replacement.because } : { kind: "replaced", by },
      });
      if (replacement instanceof Left) return undefined;
      renamed.set(found.after.name, replacement.name);
      return [replacement];
    }
    return undefined;
  };
  return { graph: rewrite(graph, [{ scope: "all", apply }]), changes, renamed };
}

function replaced(
  form: Form,
  node: Node,
  after: Value,
  { down, up }: RetrofitOptions,
  name: string,
): readonly [Value | Left, by: string] {
  if (!isFloat(after.type))
    return [new Left(`its maps are ${after.type}, and low-passes and large kernels take floating-point ones`), ""];
  if (form.direction === "down") {
    if (!down) return [new Left("nothing was asked for layers that lower the resolution (--down)"), ""];
    const undecimated = form.undecimated(node);
    const [, , height, width] = after.shape as [number, number, number, number];
    return [undecimated instanceof Left ? undecimated : downChoices[down](undecimated, [height, width]), down];
  }
  if (!up) return [new Left("nothing was asked for layers that raise the resolution (--up)"), ""];
  const layer = form.transposed(node);
  return [layer instanceof Left ? layer : upChoices[up](layer, name), up];
}

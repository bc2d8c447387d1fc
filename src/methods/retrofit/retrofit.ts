import { type RewriteContext, rewrite } from "../../engine/compile/rewrite.js";
import type { Graph, Node, Value } from "../../engine/graph/graph.js";
import { slice } from "../../engine/operators/index.js";
import { isFloat } from "../../engine/tensor/tensor.js";
import { type Form, type Found, forms, Left, placeLabel, remedy, type Sides } from "../../vision/resampling/index.js";
import type { LowPass } from "./any-size.js";
import { downChoices, upChoices } from "./choices.js";
import type { DownChoiceName, UpChoiceName } from "./names.js";

export interface RetrofitOptions {
  /** What layers that lower the resolution get; absent: they stay. */
  readonly down?: DownChoiceName;
  /** What layers that raise it get; absent: they stay. */
  readonly up?: UpChoiceName;
  /** Whether what is put in place is for maps of this size ("these", the default), or can be written into a file for any (`retrofitFile`). */
  readonly sides?: Sides;
}

export interface Retrofitted {
  readonly graph: Graph;
  /** What became of every layer that changes the resolution. */
  readonly changes: readonly Change[];
  /** For what was replaced the name of its output before and now. */
  readonly renamed: ReadonlyMap<string, string>;
  /** With "any" sides: the low-passes, whose matrices in `graph` are those of this size. */
  readonly lowPasses: readonly LowPass[];
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
 * @param graph specialized: its sides are fixed, and so are those of the new graph. Kernels that a file computes from constants (dequantized ones) are
 *   left unless `evaluateKernels` computed them.
 * @example const { graph, changes } = retrofit(await specialize(model, shapes, evaluate, { keep: "weights" }), { down: "flc", up: "lctc-7" });
 */
export function retrofit(graph: Graph, options: RetrofitOptions): Retrofitted {
  const changes: Change[] = [];
  const lowPasses: LowPass[] = [];
  const renamed = new Map<string, string>();
  const apply = (node: Node, { graph: made }: RewriteContext): readonly Value[] | undefined => {
    for (const form of forms) {
      const found = form.find(node);
      if (!found) continue;
      const name = node.name || found.after.name;
      const [replacement, by] = made.inside(name, () => replaced(form, node, found, options, name, lowPasses));
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
  return { graph: rewrite(graph, [{ scope: "all", apply }]), changes, renamed, lowPasses };
}

function replaced(
  form: Form,
  node: Node,
  { after, factor }: Found,
  { down, up, sides = "these" }: RetrofitOptions,
  name: string,
  lowPasses: LowPass[],
): readonly [Value | Left, by: string] {
  const { type } = after;
  if (!isFloat(type)) return [new Left(`its maps are ${type}, and low-passes and large kernels take floating-point ones`), ""];
  if (form.direction === "down") {
    if (!down) return [new Left("nothing was asked for layers that lower the resolution (--down)"), ""];
    if (sides === "any" && type === "float64") return [new Left(`its maps are float64; ${remedy}`), ""];
    const undecimated = form.undecimated(node, sides);
    if (undecimated instanceof Left) return [undecimated, ""];
    const [height, width] = after.shape.slice(2) as [number, number];
    if (sides === "these") return [downChoices[down](undecimated, [height, width]), down];
    const whole = slice(undecimated, [0, 0], [factor[0] * height, factor[1] * width], { axes: [2, 3] });
    const low = downChoices[down](whole, [height, width]);
    lowPasses.push({ from: undecimated.name, to: low.name, choice: down, factor, type });
    return [low, down];
  }
  if (!up) return [new Left("nothing was asked for layers that raise the resolution (--up)"), ""];
  const layer = form.transposed(node, sides);
  return [layer instanceof Left ? layer : upChoices[up](layer, name), up];
}

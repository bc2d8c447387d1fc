import type { Node, Value } from "../../graph/graph.js";
import { hardSigmoid } from "../../operators/activation/hard-sigmoid.js";
import { clip } from "../../operators/elementwise/clip.js";
import { mul } from "../../operators/elementwise/mul.js";
import type { Rewrite, Site } from "../rewrite.js";
import { isZero, madeBy, scalarOf } from "./match.js";

/** Steep enough to make a step of the smallest difference between numbers of ordinary size, and a power of two, hence exact. */
const slope = 2 ** 100;

/**
 * `Where(x = Clip(x; l, h), g, 0)`, the gradient of Clip, becomes `g · HardSigmoid · HardSigmoid` with two steps at the bounds, 1 on the bounds
 * themselves. HardSigmoid and Mul stay in ONNX Runtime's blocked convolution layout, Equal and Where force a reorder there and back.
 *
 * Behind a convolution the mask is read from y instead of x, so that Conv and Clip become one kernel. y cannot tell x = h from x > h, so this
 * Clip is widened to the next float beyond each bound (2⁻⁷⁶ about 0), which changes y in the last bit where it saturates.
 */
export const clipMask: Rewrite = {
  name: "clip-mask",
  providers: ["cpu", "wasm"],
  measured: "MobileNetV2 forward + dX 75.6 -> 61.3 ms (bench/rewrites.ts, CPU, 1 thread, processor time)",
  apply: (node, inputs, site) => {
    if (node.operator.name === "Clip") return widened(node, inputs, site);
    const [condition, g, other] = inputs;
    const equal =
      node.operator.name === "Where" && isZero(other) && g?.type === "float32" ? madeBy(condition, "Equal") : undefined;
    const [x, y] = equal?.inputs ?? [];
    const clipped = madeBy(y, "Clip");
    if (!clipped || clipped.inputs[0] !== x) return undefined;
    const [low, high] = bounds(clipped);
    if (low === undefined || high === undefined) return undefined;
    const before = bounds(node.inputs[0]!.node!.inputs[1]!.node!);
    const isWidened = low !== before[0] || high !== before[1];
    const source = isWidened ? y! : x!;
    const [from, to] = isWidened ? [low, high] : [nextDown(low), nextUp(high)];
    let mask: Value | undefined;
    if (Number.isFinite(low)) mask = hardSigmoid(source, slope, -from * slope);
    if (Number.isFinite(high)) {
      const below = hardSigmoid(source, -slope, to * slope);
      mask = mask ? mul(mask, below) : below;
    }
    return mask && [mul(g!, mask)];
  },
};

function widened(node: Node, [x, low, high]: readonly (Value | undefined)[], site: Site): readonly Value[] | undefined {
  const [l, h] = bounds(node);
  const convolution = madeBy(x, "Conv");
  const original = node.inputs[0]!;
  const mask = site.users(original).find((user) => user.operator.name === "Equal" && user.inputs[1] === node.outputs[0]);
  if (!convolution || !mask || x!.type !== "float32" || l === undefined || h === undefined) return undefined;
  if (site.users(original).some((user) => user !== node && user !== mask)) return undefined;
  return [clip(x!, low && nextDown(l), high && nextUp(h))];
}

/** Both bounds as numbers, infinite where they are left out; undefined where they are computed or too large for the steep step. */
function bounds(node: Node): readonly [number | undefined, number | undefined] {
  const read = (v: Value | undefined, absent: number) => {
    const number = v ? scalarOf(v) : absent;
    return number !== undefined && (Math.abs(number) < 2 ** 27 || !v) ? number : undefined;
  };
  return [read(node.inputs[1], Number.NEGATIVE_INFINITY), read(node.inputs[2], Number.POSITIVE_INFINITY)];
}

/** The next float32; about 0 the next that the step can tell apart. */
function nextUp(x: number): number {
  if (!Number.isFinite(x)) return x;
  if (Math.abs(x) < 2 ** -76) return 2 ** -76;
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, x);
  bits.setInt32(0, bits.getInt32(0) + (x > 0 ? 1 : -1));
  return bits.getFloat32(0);
}

const nextDown = (x: number): number => -nextUp(-x);

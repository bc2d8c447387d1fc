import type { Value } from "../../graph/graph.js";
import { toNumbers } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { div } from "../elementwise/div.js";
import { mul } from "../elementwise/mul.js";
import { sub } from "../elementwise/sub.js";
import { scalar } from "../emit.js";
import { expand } from "../layout/expand.js";
import { equal } from "../logic/equal.js";
import { greater } from "../logic/greater.js";
import { where } from "../logic/where.js";
import { zerosLike } from "../zeros.js";

/** How an update meets what is there: it replaces it, is added, is multiplied, or the smaller or larger one wins. */
export type ScatterReduction = "none" | "add" | "mul" | "min" | "max";
export const scatterReductions = ["none", "add", "mul", "min", "max"] as const;

/** With a reduction in float16 for which ONNX Runtime has no kernel: the same in float32. Undefined where it has one. */
export function scatterInFloat32(
  x: Value,
  updates: Value,
  reduction: ScatterReduction,
  scatter: (x: Value, updates: Value) => Value,
): readonly Value[] | undefined {
  if (x.type !== "float16" || reduction === "none") return undefined;
  return [cast(scatter(cast(x, "float32"), cast(updates, "float32")), x.type)];
}

/** One scatter node, with the ways between data and updates that its kind (elements or slices) has. */
interface Scattering {
  readonly data: Value;
  readonly updates: Value;
  readonly output: Value;
  readonly reduction: ScatterReduction;
  readonly wanted: readonly boolean[];
  /** Whether no position is named twice; false where the indices are not constant. */
  readonly distinct: boolean;
  readonly gather: (data: Value) => Value;
  readonly scatter: (data: Value, updates: Value, reduction: ScatterReduction) => Value;
  /** Zeros of the shape of the data plus the updates, repeated positions included. */
  readonly sum: (updates: Value) => Value;
}

/**
 * Gradients of both scatter operators, for data x and updates u at positions i.
 * none: dx = g with zeros at i, du = g[i]; positions are distinct by the specification.
 * add: dx = g, du = g[i].
 * mul: dx = g Π u, du = (g x)[i], times the other updates of the same position where positions may repeat.
 * min, max: the winner takes g; ties share it evenly, as in PyTorch's scatter_reduce.
 */
export function scatterGradient(s: Scattering, g: Value): readonly (Value | undefined)[] {
  const { data: x, updates: u } = s;
  switch (s.reduction) {
    case "none":
      return [s.wanted[0] ? s.scatter(g, zerosLike(u), "none") : undefined, undefined, s.wanted[2] ? s.gather(g) : undefined];
    case "add":
      return [g, undefined, s.wanted[2] ? s.gather(g) : undefined];
    case "mul": {
      const ones = expand(scalar(x.graph, 1, x.type), x.shape);
      return [
        s.wanted[0] ? mul(g, s.scatter(ones, u, "mul")) : undefined,
        undefined,
        s.wanted[2] ? (s.distinct ? s.gather(mul(g, x)) : ofFactors(s, g)) : undefined,
      ];
    }
    case "min":
    case "max": {
      const one = scalar(x.graph, 1, x.type);
      const keeps = where(equal(x, s.output), one, 0);
      const wins = where(equal(u, s.gather(s.output)), one, 0);
      const share = div(g, add(keeps, s.sum(wins)));
      return [mul(share, keeps), undefined, s.wanted[2] ? mul(s.gather(share), wins) : undefined];
    }
  }
}

/** du[k] = g[i_k] · x[i_k] · Π u[j] over the other j at the position of k: the whole product over u[k], with zeros counted apart. */
function ofFactors(s: Scattering, g: Value): Value {
  const isZero = equal(s.updates, 0);
  const zeros = where(isZero, scalar(g.graph, 1, g.type), 0);
  const nonZero = where(isZero, scalar(g.graph, 1, g.type), s.updates);
  const product = s.gather(mul(g, s.scatter(s.data, nonZero, "mul")));
  const otherZeros = sub(s.gather(s.sum(zeros)), zeros);
  return where(greater(otherZeros, 0.5), scalar(g.graph, 0, g.type), div(product, nonZero));
}

/** Whether a constant index tensor names no position twice; `positions` maps it to one number or string for each update. */
export function namesDistinct(indices: Value, positions: (indices: readonly number[]) => readonly (string | number)[]): boolean {
  if (!indices.constant) return false;
  const all = positions(toNumbers(indices.constant));
  return new Set(all).size === all.length;
}

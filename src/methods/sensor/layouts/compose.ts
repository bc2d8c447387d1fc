import type { Value } from "../../../engine/graph/graph.js";
import { SensorError } from "../error.js";
import { chain, type Layout } from "./layout.js";

/**
 * Several layouts, one after the other: φ = φ_last ∘ … ∘ φ_first. Parameters are called "rectangular.s"; where one kind comes twice, the
 * second is "rectangular-2.s".
 *
 * @example compose([rectangular, curvilinear])
 */
export function compose(layouts: readonly Layout[]): Layout {
  const [first, ...rest] = layouts;
  if (!first) throw new SensorError("A composed layout needs at least one layout.");
  if (rest.length === 0) return first;
  const names = layouts.map(({ name }, i) => {
    const before = layouts.slice(0, i).filter((l) => l.name === name).length;
    return before === 0 ? name : `${name}-${before + 1}`;
  });
  const begins = layouts.map((_, i) => layouts.slice(0, i).reduce((sum, l) => sum + l.parameters.length, 0));
  const own = (theta: readonly Value[], i: number) => theta.slice(begins[i]!, begins[i]! + layouts[i]!.parameters.length);
  return {
    name: names.join("+"),
    parameters: layouts.flatMap(({ parameters }, i) => parameters.map((name) => `${names[i]}.${name}`)),
    pixels: layouts.every(({ pixels }) => pixels === "axis-aligned") ? "axis-aligned" : "curved",
    map: (p, theta) => layouts.reduce((at, layout, i) => layout.map(at, own(theta, i)), p),
    jacobian: (p, theta) => {
      let at = first.map(p, own(theta, 0));
      let jacobian = first.jacobian(p, own(theta, 0));
      rest.forEach((layout, i) => {
        jacobian = chain(layout.jacobian(at, own(theta, i + 1)), jacobian);
        at = layout.map(at, own(theta, i + 1));
      });
      return jacobian;
    },
    inverse: (p, theta) => layouts.reduceRight((at, layout, i) => layout.inverse(at, own(theta, i)), p),
  };
}

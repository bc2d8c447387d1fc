import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { gradients } from "../../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import { type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import { compose } from "./compose.js";
import { layoutOf, layouts } from "./index.js";
import { determinant, type Layout } from "./layout.js";

const types = ["float32", "float64"] as const;
type FloatName = (typeof types)[number];

interface Measured {
  readonly phi: number[][];
  readonly jacobian: number[][];
  readonly determinant: number[];
  readonly inverse: number[][];
  /** ∂φ_x/∂θ_q, ∂φ_y/∂θ_q of each point, by automatic differentiation. */
  readonly byTheta: number[][][];
}

/** Everything that a layout says at the given points. */
async function measure(
  layout: Layout,
  points: readonly (readonly number[])[],
  theta: readonly number[],
  type: FloatName,
): Promise<Measured> {
  const graph = new Graph();
  const column = (i: number) =>
    tensor(
      type,
      [points.length],
      points.map((p) => p[i]!),
    ) as Tensor;
  const p = { x: graph.input("x", type, [points.length]), y: graph.input("y", type, [points.length]) };
  // Parameters of each point's own, so that their gradients are those of each point.
  const perPoint = theta.map((_, q) => graph.input(`theta.${q}`, type, [points.length]));
  const phi = layout.map(p, perPoint);
  const jacobian = layout.jacobian(p, perPoint);
  const inverse = layout.inverse(p, perPoint);
  const named: Record<string, Value> = {
    x: phi.x,
    y: phi.y,
    ...jacobian,
    determinant: determinant(jacobian),
    ix: inverse.x,
    iy: inverse.y,
  };
  for (const [name, value] of Object.entries(named)) graph.output(`out.${name}`, value);
  for (const axis of ["x", "y"] as const) gradients(phi[axis], perPoint).forEach((g, q) => graph.output(`d${axis}.${q}`, g));
  const feeds = {
    x: column(0),
    y: column(1),
    ...Object.fromEntries(
      theta.map((v, q) => [
        `theta.${q}`,
        tensor(
          type,
          [points.length],
          points.map(() => v),
        ) as Tensor,
      ]),
    ),
  };
  const out = await runModel(graph.build(), feeds);
  const of = (name: string) => toNumbers(out[name]!);
  const rows = (...names: string[]) => points.map((_, i) => names.map((name) => of(name)[i]!));
  return {
    phi: rows("out.x", "out.y"),
    jacobian: rows("out.xx", "out.xy", "out.yx", "out.yy"),
    determinant: of("out.determinant"),
    inverse: rows("out.ix", "out.iy"),
    byTheta: theta.map((_, q) => rows(`dx.${q}`, `dy.${q}`)),
  };
}

const largestDifference = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length ? Math.max(0, ...a.map((v, i) => Math.abs(v - b[i]!))) : Number.NaN;

describe.each(["rectangular", "curvilinear", "elliptic"] as const)("%s against the reference", (name) => {
  const { tensors } = parseSafetensors(
    readFileSync(new URL(`../../../../fixtures/sensor/layouts/${name}.safetensors`, import.meta.url)),
  );
  const stored = (what: string) => toNumbers(tensors.get(what)!);
  const pairs = (values: number[]) => Array.from({ length: values.length / 2 }, (_, i) => values.slice(2 * i, 2 * i + 2));
  const points = pairs(stored("points"));
  test.each(types)("%s", async (type) => {
    for (const [q, theta] of pairs(stored("theta")).entries()) {
      const part = (what: string, size: number) => stored(what).slice(q * points.length * size, (q + 1) * points.length * size);
      const found = await measure(layouts[name], points, theta, type);
      // Within a step of float32 of the border of the disc, the two sides of the kink are told apart by rounding.
      const away = points.map((p) => Math.abs(Math.hypot(...p) - 1) > 1e-5);
      const kept = (values: readonly number[], size: number) =>
        values.filter((_, i) => away[Math.floor(i / size)] || type === "float64");
      const tolerance = type === "float64" ? 1e-9 : 5e-5;
      expect(largestDifference(found.phi.flat(), part("phi", 2))).toBeLessThan(tolerance);
      expect(largestDifference(kept(found.jacobian.flat(), 4), kept(part("jacobian", 4), 4))).toBeLessThan(tolerance * 10);
      expect(largestDifference(found.inverse.flat(), part("inverse", 2))).toBeLessThan(tolerance);
      const byTheta = points.flatMap((_, i) => [0, 1].flatMap((axis) => found.byTheta.map((rows) => rows[i]![axis]!)));
      expect(largestDifference(kept(byTheta, 4), kept(part("dphi_dtheta", 4), 4))).toBeLessThan(tolerance * 10);
    }
  });
});

const composed = {
  "rectangular, then curvilinear": compose([layouts.rectangular, layouts.curvilinear]),
  "twice rectangular": layoutOf(["rectangular", "rectangular"]),
};

describe.each(Object.entries<Layout>({ ...layouts, ...composed }))("%s keeps its word", (_, layout) => {
  const values = [-0.6, -0.35, 0, 0.2, 0.6];
  const count = layout.parameters.length;
  const thetas =
    count === 0 ? [[]] : values.map((_, i) => Array.from({ length: count }, (_, q) => values[(i + 2 * q) % values.length]!));
  const side = 13;
  // Off the axes and the disc's border, where one-sided derivatives differ.
  const inner = Array.from({ length: side * side }, (_, i) => [
    -0.953 + (1.9 * (i % side)) / (side - 1),
    -0.957 + (1.9 * Math.floor(i / side)) / (side - 1),
  ]).filter((p) => Math.abs(Math.hypot(p[0]!, p[1]!) - 1) > 1e-3);

  test("the inverse undoes the map, and the map the inverse", async () => {
    for (const theta of thetas) {
      const forward = await measure(layout, inner, theta, "float64");
      const back = await measure(layout, forward.phi, theta, "float64");
      expect(largestDifference(back.inverse.flat(), inner.flat())).toBeLessThan(1e-7);
      const again = await measure(layout, forward.inverse, theta, "float64");
      expect(largestDifference(again.phi.flat(), inner.flat())).toBeLessThan(1e-7);
    }
  });

  test("it is a bijection of the square: the border stays the border, and nowhere is it folded", async () => {
    const border = Array.from({ length: 21 }, (_, i) => -1 + i / 10).flatMap((v) => [
      [v, -1],
      [v, 1],
      [-1, v],
      [1, v],
    ]);
    for (const theta of thetas) {
      const { determinant: areas } = await measure(layout, inner, theta, "float64");
      expect(Math.min(...areas)).toBeGreaterThan(0);
      const { phi } = await measure(layout, border, theta, "float64");
      phi.forEach(([x, y], i) => {
        const [bx, by] = border[i]!;
        if (Math.abs(bx!) === 1) expect(x).toBeCloseTo(bx!, 5);
        if (Math.abs(by!) === 1) expect(y).toBeCloseTo(by!, 5);
      });
    }
  });

  test("the Jacobian is that of finite differences", async () => {
    const step = 1e-5;
    const moved = (dx: number, dy: number) => inner.map(([x, y]) => [x! + dx, y! + dy]);
    for (const theta of thetas) {
      const { jacobian } = await measure(layout, inner, theta, "float64");
      const at = async (dx: number, dy: number) => (await measure(layout, moved(dx, dy), theta, "float64")).phi;
      const slopes = (a: number[][], b: number[][]) => a.map((p, i) => p.map((v, axis) => (v - b[i]![axis]!) / (2 * step)));
      const byX = slopes(await at(step, 0), await at(-step, 0));
      const byY = slopes(await at(0, step), await at(0, -step));
      const expected = inner.map((_, i) => [byX[i]![0]!, byY[i]![0]!, byX[i]![1]!, byY[i]![1]!]);
      expect(largestDifference(jacobian.flat(), expected.flat())).toBeLessThan(1e-5);
    }
  });

  test("θ = 0 is the uniform layout", async () => {
    const { phi } = await measure(
      layout,
      inner,
      layout.parameters.map(() => 0),
      "float64",
    );
    expect(largestDifference(phi.flat(), inner.flat())).toBeLessThan(1e-12);
  });

  test("the very middle and the corners give finite numbers and slopes", async () => {
    const special = [
      [0, 0],
      [1, 1],
      [-1, 1],
      [1, 0],
      [0, -1],
    ];
    for (const theta of thetas) {
      const found = await measure(layout, special, theta, "float32");
      const all = [found.phi, found.jacobian, found.inverse, ...found.byTheta].flat(2);
      expect(all.every(Number.isFinite)).toBe(true);
    }
  });
});

test("a name that no layout has is answered with those there are", () => {
  expect(() => layoutOf("hexagonal" as "uniform")).toThrow(
    'There is no layout "hexagonal"; choose one of uniform, rectangular, curvilinear, elliptic.',
  );
  expect(() => layoutOf([])).toThrow("needs at least one");
});

test("parameters of composed layouts have names of their own", () => {
  expect(composed["twice rectangular"].parameters).toEqual([
    "rectangular.s",
    "rectangular.t",
    "rectangular-2.s",
    "rectangular-2.t",
  ]);
  expect(composed["twice rectangular"].pixels).toBe("axis-aligned");
  expect(composed["rectangular, then curvilinear"].pixels).toBe("curved");
});

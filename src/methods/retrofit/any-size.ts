import type { Attribute, OnnxNode } from "../../engine/onnx/model.js";
import { elementTypes } from "../../engine/onnx/schema.js";
import { type FloatType, type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { DownChoiceName } from "./names.js";

/** Where a map of a file is brought to a lower resolution by a low-pass. */
export interface LowPass {
  /** Of the values in the graph that `retrofit` made. */
  readonly from: string;
  readonly to: string;
  readonly choice: DownChoiceName;
  readonly factor: readonly [height: number, width: number];
  readonly type: FloatType;
}

/** Nodes that compute a low-pass, and the constants that they read. */
export interface Written {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, Tensor>;
}

/**
 * A low-pass for maps of any height and width, [N, C, H, W], as nodes of a file: from H rows the first s m are taken, m = ⌊H / s⌋, and brought to m. The
 * same numbers as `flcPool` and `asapPool` of such a map, but their matrices are computed from the size whenever the file is run,
 * `A = 1/n Σ_f w(f) e^(2πi f i / m) e^(-2πi f j / n)`, f from -⌊m / 2⌋ on, n = s m, as a product of sines and cosines. Whole numbers are reduced before angles
 * are made of them, so that large maps lose no digits.
 *
 * @param from a name of the file, `to` too.
 * @param fresh makes a name that is not taken.
 */
export function lowPassOfAnySize({ from, to, choice, factor, type }: LowPass, fresh: (wish: string) => string): Written {
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, Tensor>();
  const add = (op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}, output?: string): string => {
    const name = fresh(`${to}/${op}`);
    nodes.push({ name, op, domain: "", inputs, outputs: [output ?? name], attributes });
    return output ?? name;
  };
  const constant = (value: Tensor): string => {
    const name = fresh(`${to}/constant`);
    constants.set(name, value);
    return name;
  };
  const whole = (...values: number[]): string => constant(tensor("int64", [values.length], values));
  const scalar = (value: number): string => constant(tensor("int64", [], [value]));
  const real = (value: number): string => constant(tensor("float32", [1], [value]));
  const along = (axis: number) => ({ axis: { kind: "int", value: axis } as const });
  const cast = (x: string, target: FloatType): string =>
    add("Cast", [x], { to: { kind: "int", value: elementTypes.indexOf(target) } });
  const row = (x: string): string => add("Unsqueeze", [x, whole(0)]);
  const column = (x: string): string => add("Unsqueeze", [x, whole(1)]);
  const upTo = (count: string): string => add("Range", [scalar(0), add("Squeeze", [count]), scalar(1)]);
  const overlaid = (parts: readonly string[], axis: number): string => add("Concat", parts, along(axis));
  /** 2π k / period of whole numbers k. */
  const angle = (k: string, period: string): string =>
    add("Mul", [cast(add("Mod", [k, period]), "float32"), add("Div", [real(2 * Math.PI), cast(period, "float32")])]);
  const one = real(1);

  const shape = add("Shape", [from]);
  const axes = factor.map((s, at) => {
    const m = add("Div", [add("Slice", [shape, whole(at + 2), whole(at + 3)]), whole(s)]);
    const n = add("Mul", [m, whole(s)]);
    const [i, j] = [upTo(m), upTo(n)];
    const f = add("Sub", [i, add("Div", [m, whole(2)])]);
    const [out, into] = [angle(add("Mul", [column(i), row(f)]), m), angle(add("Mul", [column(f), row(j)]), n)];
    const amplitude = add("Div", [choice === "asap" ? window(f, n) : one, cast(n, "float32")]);
    const [cos, sin] = ["Cos", "Sin"].map((op) => add("Mul", [add(op, [out]), amplitude])) as [string, string];
    const forward = overlaid([add("Cos", [into]), add("Sin", [into])], 0);
    return {
      ...{ m, n, s, i, j, forward },
      real: add("MatMul", [overlaid([cos, sin], 1), forward]),
      // Of asap, whose window is not symmetrical; that of flc is the one frequency without counterpart.
      imaginary: () => add("MatMul", [overlaid([sin, add("Neg", [cos])], 1), forward]),
    };
  });
  type Axis = (typeof axes)[number];
  const [rows, columns] = axes as [Axis, Axis];
  const cut = add("Slice", [from, whole(0, 0), overlaid([rows.n, columns.n], 0), whole(2, 3)]);
  const x = type === "float32" ? cut : cast(cut, "float32");
  const turned = (matrix: string): string => add("Transpose", [matrix]);
  const product = (a: string, b: string): string => add("MatMul", [a, add("MatMul", [x, turned(b)])]);
  const even = product(rows.real, columns.real);
  const odd = choice === "asap" ? product(rows.imaginary(), columns.imaginary()) : unpaired();
  const result = type === "float32" ? undefined : fresh(`${to}/float32`);
  const y = add("Sub", [even, odd], {}, result ?? to);
  if (result) add("Cast", [y], { to: { kind: "int", value: elementTypes.indexOf(type) } }, to);
  return { nodes, constants };

  /** √Hamming at the frequencies f of n. */
  function window(f: string, n: string): string {
    const k = add("Add", [f, add("Div", [n, whole(2)])]);
    const last = add("Max", [add("Sub", [n, whole(1)]), whole(1)]);
    const turn = add("Div", [add("Mul", [cast(k, "float32"), real(2 * Math.PI)]), cast(last, "float32")]);
    const hamming = add("Sqrt", [add("Sub", [real(0.54), add("Mul", [real(0.46), add("Cos", [turn])])])]);
    return add("Where", [add("Equal", [n, whole(1)]), one, hamming]);
  }

  /** Where m is even, -m / 2 is without counterpart: Im A[i, j] = (-1)^i sin(π j / s) / n. */
  function unpaired(): string {
    const thin = ({ m, n, s, i, j }: Axis) => {
      const sign = add("Sub", [one, cast(add("Mul", [add("Mod", [i, whole(2)]), whole(2)]), "float32")]);
      const isEven = add("Sub", [one, cast(add("Mod", [m, whole(2)]), "float32")]);
      const wave = add("Sin", [angle(j, whole(2 * s))]);
      return { left: column(add("Mul", [sign, isEven])), right: row(add("Div", [wave, cast(n, "float32")])) };
    };
    const [a, b] = [thin(rows), thin(columns)];
    const share = add("MatMul", [add("MatMul", [a.right, x]), turned(b.right)]);
    return add("MatMul", [a.left, add("MatMul", [share, turned(b.left)])]);
  }
}

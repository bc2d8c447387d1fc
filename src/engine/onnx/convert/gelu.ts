import { type Conversion, floatOf, microsoft, newest, type Rewrite, textOf } from "./conversion.js";

/** x/2 (1 + erf(x / sqrt 2)); Hendrycks and Gimpel, "Gaussian error linear units", 2016. */
function exact(x: string, to: Rewrite) {
  const erf = to.add("Erf", [to.add("Mul", [x, to.like(x, Math.SQRT1_2)])]);
  halve(x, erf, to);
}

/** x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), the approximation of the same paper. */
function tanh(x: string, to: Rewrite) {
  const cube = to.add("Mul", [to.add("Mul", [x, x]), x]);
  const inner = to.add("Add", [x, to.add("Mul", [cube, to.like(x, 0.044715)])]);
  halve(x, to.add("Tanh", [to.add("Mul", [inner, to.like(x, Math.sqrt(2 / Math.PI))])]), to);
}

function halve(x: string, curve: string, to: Rewrite) {
  const half = to.add("Mul", [x, to.like(x, 0.5)]);
  to.finish("Mul", [half, to.add("Add", [curve, to.like(x, 1)])]);
}

export const gelu: readonly Conversion[] = [
  {
    op: "Gelu",
    from: 20,
    to: newest,
    convert: (node, to) => (textOf(node, "approximate", "none") === "tanh" ? tanh : exact)(node.inputs[0]!, to),
  },
  { op: "Gelu", ...microsoft, convert: (node, to) => exact(node.inputs[0]!, to) },
  {
    op: "BiasGelu",
    ...microsoft,
    inputs: 2,
    convert: (node, to) => exact(to.add("Add", [node.inputs[0]!, node.inputs[1]!]), to),
  },
  {
    op: "FastGelu",
    ...microsoft,
    convert: (node, to) => tanh(node.inputs[1] ? to.add("Add", [node.inputs[0]!, node.inputs[1]]) : node.inputs[0]!, to),
  },
  {
    // x sigmoid(alpha x)
    op: "QuickGelu",
    ...microsoft,
    convert: (node, to) => {
      const x = node.inputs[0]!;
      to.finish("Mul", [x, to.add("Sigmoid", [to.add("Mul", [x, to.like(x, floatOf(node, "alpha", 1.702))])])]);
    },
  },
];

import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { finite } from "../../graph/range.js";
import { numberAt, tensor, toNumbers } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { sameAsInput, scalar } from "../emit.js";
import { where } from "../logic/where.js";
import { expand } from "./expand.js";

/** Stands for an operand that is known at run time only. */
const unknown = tensor("float32", [1], [Number.NaN]);

export const Dropout = defineOperator({
  name: "Dropout",
  random: true,
  inputs: ["data", "ratio?", "training_mode?"],
  outputs: ["output", "mask?"],
  attributes: { seed: int() },
  flops: "none",
  infer: (context) => [...sameAsInput(context), { type: "bool", shape: context.inputs[0].shape }],
  range: finite,
  // exporters write training mode with ratio 0 for functional dropout in evaluation
  simplify: ({ inputs: [x, ratio, training], constantOf }) => {
    const number = (v: Value): number => toNumbers(constantOf(v) ?? unknown)[0]!;
    const idle = !training || number(training) === 0 || (ratio !== undefined && number(ratio) === 0);
    return idle ? [x, expand(scalar(x.graph, 1, "bool"), x.shape)] : undefined;
  },
  // evaluation: the identity; training: y = mask x / (1 - ratio)
  gradient: ({ inputs: [, ratio, training], outputs: [, mask], fail }, [g]) => {
    if (!g) return [];
    if (!droppingOut(training, fail)) return [g];
    const p = ratio ? (ratio.constant ? toNumbers(ratio.constant)[0]! : fail("its ratio must be constant")) : 0.5;
    return [where(mask ?? fail("in training mode its mask output is needed"), mul(g, 1 / (1 - p)), 0)];
  },
});

function droppingOut(training: Value | undefined, fail: (message: string) => never): boolean {
  if (!training) return false;
  return training.constant ? numberAt(training.constant, 0) !== 0 : fail("its training_mode must be constant");
}

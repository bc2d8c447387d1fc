import type { Value } from "../../graph/graph.js";
import { defineOperator, int } from "../../graph/operator.js";
import { numberAt, toNumbers } from "../../tensor/tensor.js";
import { mul } from "../elementwise/mul.js";
import { sameAsInput } from "../emit.js";
import { where } from "../logic/where.js";

export const Dropout = defineOperator({
  name: "Dropout",
  random: true,
  inputs: ["data", "ratio?", "training_mode?"],
  outputs: ["output", "mask?"],
  attributes: { seed: int() },
  infer: (context) => [...sameAsInput(context), { type: "bool", shape: context.inputs[0].shape }],
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

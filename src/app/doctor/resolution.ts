import type { Tensor } from "../../engine/tensor/tensor.js";
import { namedOutputs } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { coarseness, levelsOf } from "../../vision/tasks/levels.js";
import type { View } from "./feeding.js";
import { type Finding, good, unsure, wrong } from "./finding.js";
import { lastQuantizers, type Quantizer, withoutRounding } from "./quantizers.js";

const subject = "resolution";

/** Quantizers near the outputs that are left out for a try, one after the other. */
const tries = 8;
/** Where no score reaches this without rounding either, the pictures show nothing that could be told apart. */
const something = 0.02;

/**
 * Whether predictions tell things apart: where all scores are a handful of values, or all classes tie, a rounding too coarse for them is looked for. One is to blame
 * where the predictions without it are fine, and the advice is then tried already.
 *
 * @param predictions of the samples, without batch axis. @param predict the same by another graph, fed alike.
 */
export async function resolution(
  view: View,
  predictions: readonly Tensor[],
  predict: (view: View) => Promise<readonly Tensor[]>,
): Promise<Finding> {
  const task = tasks[view.spec.task];
  const found = (all: readonly Tensor[]) =>
    coarseness(
      all.map((p) => levelsOf(p, task)),
      task,
    );
  const coarse = found(predictions);
  if (coarse.length === 0) return good(subject, "Predictions take enough values to tell things apart.");
  const fact = `On ${predictions.length === 1 ? "this picture" : "these pictures"} ${coarse.join(", and ")}`;
  const outputs = namedOutputs(view.spec) ?? view.fixed.outputs.keys();
  for (const quantizer of lastQuantizers(view.fixed, outputs, tries)) {
    const finer = await predict({ ...view, fixed: withoutRounding(view.fixed, quantizer) });
    if (found(finer).length > 0) continue;
    if (task.kind === "boxes" && highestScore(finer) < something)
      return unsure(
        subject,
        `${fact}, and without rounding no score reaches ${something} either: give pictures that show something.`,
      );
    return blamed(fact, quantizer, view.names);
  }
  return wrong(
    subject,
    `${fact}: the output is saturated, rounded too coarsely, or does not depend on the picture; look at --range, and at how the file was quantized.`,
  );
}

function blamed(fact: string, { before, after, grid, joins }: Quantizer, names: ReadonlySet<string>): Finding {
  const named = names.has(before.name);
  const node = before.node?.name ?? "";
  const text = (v: number) => String(Number(v.toPrecision(3)));
  const steps = grid ? ` in steps of ${text(grid.step)} (from ${text(grid.from)} to ${text(grid.to)})` : "";
  const why =
    joins.length > 1
      ? `; a Concat brings ${joins.length} parts ("${joins[0]!.name}" to "${joins.at(-1)!.name}") under that one scale, which suits the largest alone`
      : "";
  const where = names.has(node) ? `=["${node}"]` : named ? ` with the node that makes "${before.name}"` : "";
  const again = `Quantize the model again with that node left out (ONNX Runtime: nodes_to_exclude${where})`;
  const tried = named
    ? `, or attack what is there before the rounding, which has values enough, and is not what the file answers: --of ${before.name}`
    : "";
  return wrong(
    subject,
    `${fact}, because "${after.name}" is rounded to 8 bits${steps}${why}. ${again}${tried}.`,
    ...(named ? ["--of", before.name] : []),
  );
}

function highestScore(predictions: readonly Tensor[]): number {
  let logit = Number.NEGATIVE_INFINITY;
  for (const { data, shape } of predictions)
    for (let i = (4 * data.length) / shape[0]!; i < data.length; i++) logit = Math.max(logit, Number(data[i]));
  return 1 / (1 + Math.exp(-logit));
}

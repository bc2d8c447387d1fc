import type { Tensor } from "../../engine/tensor/tensor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { objectsOf } from "../../vision/tasks/detection/boxes.js";
import { tasks } from "../../vision/tasks/index.js";
import { type Finding, good, percent, unsure, wrong } from "./finding.js";
import type { Labeled } from "./score.js";

/** What the labels of these samples show; undefined where the task's truth is no labels. `predictions`: as the best way of feeding the model has them. */
export function labelsFit(
  samples: readonly Labeled[],
  { predictions, offset }: { readonly predictions: readonly Tensor[]; readonly offset: number },
  spec: ModelSpec,
): Finding | undefined {
  const [first] = predictions[0]!.shape as [number];
  const { kind } = tasks[spec.task];
  if (kind === "boxes") return objectClasses(samples, first - 4);
  return kind === "classes" ? labelRange(samples, first, spec, offset) : undefined;
}

/** Whether the data's labels are among the model's classes, and what to do with those that are not. */
export function labelRange(samples: readonly Labeled[], classes: number, spec: ModelSpec, offset: number): Finding {
  const ignored = new Set(spec.ignore);
  const counts = new Map<number, number>();
  let total = 0;
  for (const { target } of samples) {
    for (const v of (target?.data ?? []) as BigInt64Array) {
      total++;
      counts.set(Number(v), (counts.get(Number(v)) ?? 0) + 1);
    }
  }
  if (total === 0) return unsure("labels", "The data have no labels; what they would show is left out.");
  if (counts.size === 2 && counts.has(0) && counts.has(255) && ignored.has(255))
    return wrong(
      "labels",
      `The labels are 0 and 255 alone, and 255 is ignored (${percent(counts.get(255)! / total)} of them): binary masks? Write them as 0 and 1.`,
    );
  const outside = [...counts].filter(([label]) => !ignored.has(label) && (label + offset < 0 || label + offset >= classes));
  const left = [...counts].filter(([label]) => ignored.has(label)).reduce((n, [, c]) => n + c, 0);
  if (outside.length === 0)
    return left === total
      ? wrong("labels", `All labels are among the ignored ones (${spec.ignore.join(", ")}), so nothing would count.`)
      : good("labels", `All labels fit the model's ${classes} classes; ${percent(left / total)} are ignored.`);
  const share = outside.reduce((n, [, c]) => n + c, 0) / total;
  const list = outside.map(([label]) => label).sort((a, b) => a - b);
  const shown = list.length > 6 ? `${list.slice(0, 6).join(", ")} ...` : list.join(", ");
  const sentence = `${percent(share)} of the labels are none of the model's ${classes} classes (${shown}).`;
  return list.length <= 3
    ? wrong("labels", `${sentence} Are these pixels without ground truth?`, "--ignore", [...spec.ignore, ...list].join(","))
    : wrong("labels", `${sentence} Is this the data set that the model was trained for?`);
}

/** Whether the objects' classes are among the model's. Targets are lists of objects. */
export function objectClasses(samples: readonly Labeled[], classes: number): Finding {
  const labels = samples.flatMap(({ target }) => (target ? objectsOf(target).map(({ label }) => label) : []));
  if (labels.length === 0) return unsure("labels", "These pictures have no objects; what they would show is left out.");
  const most = labels.reduce((a, b) => Math.max(a, b));
  return most < classes
    ? good("labels", `The classes of all ${labels.length} objects are among the model's ${classes}.`)
    : wrong(
        "labels",
        `An object is of class ${most}, and the model has the classes 0 to ${classes - 1}: is this the data set that it was trained for?`,
      );
}

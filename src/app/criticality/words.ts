import { isWeighted, type LayerKind } from "../../methods/criticality/layer.js";
import type { LayerProfile } from "../../methods/criticality/profile.js";
import { publishedBand, publishedResnet50 } from "../../methods/criticality/published.js";
import { tasks } from "../../vision/tasks/index.js";
import type { CriticalityResult } from "./result.js";
import { scales } from "./scale.js";

export const percent = (v: number): string => `${(100 * v).toFixed(1)} %`;

/**
 * Shares of the scale. Above: the decisions rest on the layer. Below: it is idle ("auxiliary" in the paper). The paper
 * draws no line; these are ours.
 */
const lines = { critical: 0.8, idle: 0.1 };

/** The result in sentences: what the decisions rest on, what is idle, how sure that is. */
export function inWords(result: CriticalityResult): string[] {
  const { layers, average, stages, trials, images, intactAccuracy, scale } = result;
  const critical = lines.critical * scale.criticality;
  const idle = lines.idle * scale.criticality;
  const classes = tasks[result.task].kind === "classes";
  const what = classes ? "decisions" : "predictions";
  const high = layers.filter((l) => l.criticality >= critical).toSorted((a, b) => b.criticality - a.criticality);
  const low = layers.filter((l) => l.criticality <= idle).toSorted((a, b) => a.criticality - b.criticality);
  const sentences: string[] = [];
  const named = stageNames(layers);
  if (high.length > 0)
    sentences.push(
      `The ${what} rest on ${listed(high)}.`,
      `Fresh weights ${high.length === 1 ? "there" : "in any one of them"} cost about as much as not looking at the image (criticality of ${percent(critical)} and more).`,
    );
  else sentences.push(`No single layer carries the ${what} alone: none reaches a criticality of ${percent(critical)}.`);
  sentences.push(
    low.length > 0
      ? `Idle: ${listed(low)}. Fresh weights there change next to nothing (${percent(idle)} and less).`
      : `No layer is idle: each reset changes the predictions by more than ${percent(idle)}.`,
  );
  sentences.push(
    `The scale: ${scales[scale.of].says} ${percent(scale.criticality)}; layers from ${100 * lines.critical} % of that on are called critical, up to ${100 * lines.idle} % of it idle.`,
  );
  if (stages.length > 1) {
    const order = stages.toSorted((a, b) => b.mean - a.mean);
    sentences.push(
      `By stage, ${named.get(order[0]!.name)} matters most (mean ${percent(order[0]!.mean)}) and ${named.get(order.at(-1)!.name)} least (${percent(order.at(-1)!.mean)}); over all ${average.layers} ${kindOf(layers)} the mean is ${percent(average.mean)}, standard deviation ${percent(average.deviation)}.`,
    );
  }
  const unsure = layers.filter((l) => l.deviation > idle);
  if (trials > 1)
    sentences.push(
      unsure.length > 0
        ? `The draw matters for ${listed(unsure.toSorted((a, b) => b.deviation - a.deviation))}: standard deviation over ${trials} trials above ${percent(idle)}; more trials would tell.`
        : `The draw matters little: the largest standard deviation over ${trials} trials is ${percent(Math.max(...layers.map((l) => l.deviation)))}.`,
    );
  sentences.push(
    `Measured on ${images} image${images === 1 ? "" : "s"}${intactAccuracy === undefined ? (classes ? " without labels" : "") : `, of which the intact network gets ${percent(intactAccuracy)} right`}; resets: ${result.reset}.`,
  );
  if (hasPublishedBand(result)) {
    const published = publishedResnet50.reduce((sum, l) => sum + l.baseline, 0) / publishedResnet50.length;
    sentences.push(
      `Published ResNet-50 (same layers, 1000 classes): the baseline's mean is ${percent(published)}; adversarially trained ones reach 84 to 90 %, self-supervised ones 44 to 53 % (one outlier of 86 %).`,
    );
  }
  return sentences;
}

/** Whether the network is a ResNet-50 by the names of its layers: published profiles say nothing of another. */
export function hasPublishedBand({ task, layers }: Pick<CriticalityResult, "task" | "layers">): boolean {
  const { kind, extent } = tasks[task];
  const weighted = layers.filter((l) => l.kind !== "group" && isWeighted(l.kind));
  return (
    kind === "classes" &&
    extent === "image" &&
    weighted.length > 2 &&
    publishedBand(weighted.map((l) => l.name)).match === "by name"
  );
}

/** Stages as their layers are called: where a stage is a resolution, its first and last layer with it. */
export function stageNames(layers: readonly LayerProfile[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const stage of new Set(layers.map((l) => l.stage))) {
    const members = layers.filter((l) => l.stage === stage);
    const [first, last] = [members[0]!.name, members.at(-1)!.name];
    const plain = !/^(?:\d+x\d+|vector)$/.test(stage);
    names.set(stage, plain ? stage : `${first === last ? first : `${first} to ${last}`} (${stage})`);
  }
  return names;
}

/** A deviation over layers; of one alone there is none. */
export const deviationOf = ({ layers, deviation }: { readonly layers: number; readonly deviation: number }): string =>
  layers > 1 ? percent(deviation) : "";

function kindOf(layers: readonly LayerProfile[]): string {
  if (layers.some((l) => l.kind === "group")) return "groups";
  return layers.some((l) => isWeighted(l.kind as LayerKind)) ? "convolutions and linear layers" : "normalizations";
}

function listed(layers: readonly LayerProfile[]): string {
  const names = layers.slice(0, 6).map((l) => l.name);
  const rest = layers.length - names.length;
  if (rest > 0) return `${names.join(", ")} and ${rest} more`;
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names.at(-1)}` : names[0]!;
}

import { foldBatchNormalization } from "../../engine/compile/fold-batch-normalization.js";
import { lower } from "../../engine/compile/lower.js";
import { Graph } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine, Program } from "../../engine/runtime/engine.js";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { framed, frameImage, framing, type Mismatch } from "../../vision/framed-predictor.js";
import type { Predictor } from "../../vision/predictor.js";
import { fixedModel, predictorOf } from "../../vision/spec/model-predictor.js";
import { type ModelSpec, namedOutputs, type ValueRange } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import type { Prepared } from "../attack/prepare.js";
import { type Finding, good, percent, unsure, wrong } from "./finding.js";
import { type RawOutput, readOutput } from "./output.js";
import { resolution } from "./resolution.js";
import { confidence, quality, type RangeName, type Reading, ranges, rightOrWrong } from "./score.js";

/** Better by this much of quality counts; less may be chance on a few images. */
const margin = 0.05;
/** Where no way of feeding the model reaches this, none is recommended. */
const leastQuality = 0.5;

/** How a model is fed and read, and how it does under every other usual way. */
export interface Feeding {
  /** On the raw output: numbers, axes, meaning. */
  readonly output: readonly Finding[];
  /** Whether predictions tell things apart, fed in the best way. */
  readonly resolution: Finding;
  /** On value range, channel order and numbering of the labels. */
  readonly input: readonly Finding[];
  /** The specification as the raw output would have it. */
  readonly read: ModelSpec;
  /** Predictions under the best way, and its label offset. */
  readonly best: { readonly predictions: readonly Tensor[]; readonly offset: number };
  readonly labeled: boolean;
}

/** A model for the one size in which it sees the samples, and how they come to it. */
export interface View {
  readonly fixed: Graph;
  readonly spec: ModelSpec;
  readonly mismatch: Mismatch;
  /** What the file calls its values and its nodes. */
  readonly names: ReadonlySet<string>;
}

/** Specializes a model to the size in which it sees the samples. */
export async function viewOf(
  engine: Engine,
  model: OnnxModel,
  spec: ModelSpec,
  [first]: readonly Prepared[],
  mismatch: Mismatch,
): Promise<View> {
  const { seen } = framing(first!, spec.size, mismatch);
  const graph = await fixedModel(model, spec, { batch: 1, ...seen }, (m) => engine.evaluate(m));
  const names = new Set(model.graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]));
  return { fixed: foldBatchNormalization(graph), spec, mismatch, names };
}

/** The predictor of a view for one sample: of the picture itself, as an attack has it. */
export const predictorFor = ({ fixed, spec, mismatch }: View, { height, width }: Prepared): Promise<Predictor> =>
  framed({ batch: 1, height, width }, spec.size, mismatch, tasks[spec.task], async (size) => predictorOf(fixed, spec, size));

/**
 * Runs a model on a few samples under every usual way to feed it. The doctor reports what is found, and the audit judges by the same.
 *
 * @param samples prepared with label offset 0.
 */
export async function compareFeedings(engine: Engine, view: View, samples: readonly Prepared[]): Promise<Feeding> {
  const { spec } = view;
  const given: Reading = { range: nameOf(spec), channels: spec.channels === "bgr" ? "bgr" : "rgb", offset: spec.labelOffset };
  const { seen } = framing(samples[0]!, spec.size, view.mismatch);
  const raw = readOutput(await rawOutputsByName(engine, view, samples), spec, seen);
  // One gray channel has one mean.
  const usual = Object.entries(ranges).filter(([name]) => spec.channels !== "gray" || name !== "imagenet");
  const values = new Map<RangeName, ValueRange>([[given.range, spec.range], ...(usual as [RangeName, ValueRange][])]);
  const orders = spec.channels === "gray" ? (["rgb"] as const) : (["rgb", "bgr"] as const);
  const ways = [...values].flatMap(([range, v]) => orders.map((channels) => ({ range, channels, offset: 0, values: v })));
  const all = await predictAll(engine, { ...view, spec: raw.spec }, samples, ways);
  const candidates = ways.map((reading, i) => ({ reading, predictions: all[i]!.map((p) => unstack(p, 0)) }));
  const labeled = samples.some((s) => s.target !== undefined);
  const classes = tasks[spec.task].kind === "classes";
  const own = candidates.find((c) => c.reading.range === given.range && c.reading.channels === given.channels)!;
  const told = ({ reading, predictions }: (typeof candidates)[number]) => {
    const way = { values: values.get(reading.range)!, channels: reading.channels };
    const predict = async (other: View) => (await predictAll(engine, other, samples, [way]))[0]!.map((p) => unstack(p, 0));
    return resolution({ ...view, spec: raw.spec }, predictions, predict);
  };
  const found = { output: raw.findings, read: raw.spec, labeled };
  if (!labeled)
    return {
      ...found,
      resolution: await told(own),
      input: classes ? surest(candidates, own) : [],
      best: { predictions: own.predictions, offset: spec.labelOffset },
    };
  const offsets = classes ? [...new Set([spec.labelOffset, 0, -1, 1])] : [0];
  const scored = candidates.flatMap(({ reading, predictions }) =>
    offsets.map((offset) => ({
      reading: { ...reading, offset },
      quality: quality(predictions, samples, spec, offset),
      right: rightOrWrong(predictions, samples, spec, offset),
    })),
  );
  const advice = compare(scored, classes ? given : { ...given, offset: 0 }, spec);
  const settled = candidates.find((c) => c.reading.range === advice.best.range && c.reading.channels === advice.best.channels)!;
  return {
    ...found,
    resolution: await told(settled),
    input: advice.findings,
    best: { predictions: settled.predictions, offset: advice.best.offset },
  };
}

interface Scored {
  readonly reading: Reading;
  readonly quality: number;
  /** Sample by sample where each is right or wrong as a whole; empty elsewhere. */
  readonly right: readonly boolean[];
}

/**
 * Whether one way is better than another by more than chance. Where each sample is right or wrong as a whole, a few of them say little: by a sign test
 * (McNemar), the samples that change sides must favor one by more than two standard deviations.
 */
function clearlyBetter(a: Scored, b: Scored): boolean {
  if (a.quality <= b.quality + margin) return false;
  const won = a.right.filter((r, i) => r && !b.right[i]).length;
  const lost = b.right.filter((r, i) => r && !a.right[i]).length;
  return a.right.length === 0 || won - lost > 2 * Math.sqrt(won + lost);
}

/** The best way to feed the model against the given one; of what differs, only what matters by itself is recommended. */
function compare(scored: readonly Scored[], given: Reading, spec: ModelSpec): { findings: Finding[]; best: Reading } {
  const scoredAs = (r: Reading) =>
    scored.find((s) => s.reading.range === r.range && s.reading.channels === r.channels && s.reading.offset === r.offset)!;
  const at = (r: Reading) => scoredAs(r).quality;
  const top = scored.reduce((a, b) => (b.quality > a.quality ? b : a));
  const least = tasks[spec.task].quality?.least ?? leastQuality;
  const clear = top.quality >= least && clearlyBetter(top, scoredAs(given));
  let best = clear ? top.reading : given;
  for (const part of ["offset", "channels", "range"] as const) {
    const back = { ...best, [part]: given[part] };
    if (!clearlyBetter(scoredAs(best), scoredAs(back))) best = back;
  }
  const now = at(given);
  const findings: Finding[] = [];
  const { kind, extent, quality: own } = tasks[spec.task];
  const what = kind !== "classes" ? undefined : extent === "image" ? "images" : "pixels";
  const say = (q: number) =>
    own
      ? `${own.name} ${percent(q)}`
      : what
        ? `${percent(q)} of the ${what} right`
        : `an error of ${percent(1 / q - 1)} of the target's size`;
  const flags = {
    range: best.range === "as given" ? [] : ["--range", best.range],
    channels: ["--channels", best.channels],
    offset: ["--label-offset", String(best.offset)],
  };
  const subjects = { range: "range", channels: "channel order", offset: "label offset" };
  for (const part of ["range", "channels", "offset"] as const) {
    if (part === "offset" && !what) continue;
    if (part === "channels" && spec.channels === "gray") continue;
    if (top.quality < least) findings.push(unsure(subjects[part], "Cannot be told: no way of feeding the model does well."));
    else if (best[part] === given[part])
      findings.push(good(subjects[part], `${given[part]} does best or as well: ${say(at(best))}.`));
    else
      findings.push(
        wrong(subjects[part], `With ${best[part]} it has ${say(at(best))}; with all as given, ${say(now)}.`, ...flags[part]),
      );
  }
  if (top.quality < least)
    findings.push(
      unsure(
        "quality",
        `Even the best of ${scored.length} ways to feed the model has only ${say(top.quality)}: is this the data it is for?`,
      ),
    );
  return { findings, best };
}

/** Without labels: how sure the model is under each way of feeding it, which is a hint and no more. */
function surest(
  candidates: readonly { reading: Reading; predictions: readonly Tensor[] }[],
  own: (typeof candidates)[number],
): Finding[] {
  const rated = candidates.map((c) => ({ ...c.reading, sure: confidence(c.predictions) }));
  const top = rated.reduce((a, b) => (b.sure > a.sure ? b : a));
  const now = confidence(own.predictions);
  const as = `${own.reading.range}, ${own.reading.channels}`;
  return [
    unsure(
      "range",
      top.sure > now + margin
        ? `The model is surer of itself with ${top.range}, ${top.channels} (mean confidence ${percent(top.sure)}) than as given (${as}: ${percent(now)}); only labels can tell.`
        : `As given (${as}) the model is as sure of itself as in any way (mean confidence ${percent(now)}).`,
    ),
  ];
}

/** What the model yields for each sample, unread, output by output: those that the task reads. */
export async function rawOutputsByName(engine: Engine, view: View, samples: readonly Prepared[]): Promise<RawOutput[]> {
  const all = [...view.fixed.outputs.keys()];
  const names = namedOutputs(view.spec) ?? (tasks[view.spec.task].output.takes === "all" ? all : all.slice(0, 1));
  const outputs: RawOutput[] = [];
  for (const [i, name] of names.entries()) outputs.push({ name, values: await rawOutputs(engine, view, samples, i) });
  return outputs;
}

/** What the model yields for each sample, unread: one of the outputs that are read. */
async function rawOutputs(
  engine: Engine,
  { fixed, spec, mismatch }: View,
  samples: readonly Prepared[],
  which: number,
): Promise<Tensor[]> {
  const { seen } = framing(samples[0]!, spec.size, mismatch);
  const program = await compiled(
    engine,
    predictorOf(fixed, spec, { batch: 1, ...seen }, (outputs) => outputs[which]!),
  );
  try {
    const raws: Tensor[] = [];
    for (const sample of samples) {
      const way = framing(sample, spec.size, mismatch);
      raws.push((await program.run(feedsOf(sample, (image) => frameImage(image, way, tasks[spec.task])))).prediction!);
    }
    return raws;
  } finally {
    program.dispose();
  }
}

/**
 * The samples' predictions under each way of feeding the model. It is compiled once for each size of pictures: values and channel order, which scaling
 * and mirroring leave alone, are brought about outside the graph.
 */
async function predictAll(
  engine: Engine,
  view: View,
  samples: readonly Prepared[],
  ways: readonly { readonly values: ValueRange; readonly channels: "rgb" | "bgr" }[],
): Promise<Tensor[][]> {
  const { spec } = view;
  const asIs: View = { ...view, spec: { ...spec, range: "0..1", channels: spec.channels === "gray" ? "gray" : "rgb" } };
  const all: Tensor[][] = ways.map(() => new Array<Tensor>(samples.length));
  const sizes = new Map<string, number[]>();
  samples.forEach(({ height, width }, i) => {
    const size = `${height}x${width}`;
    sizes.set(size, [...(sizes.get(size) ?? []), i]);
  });
  for (const indices of sizes.values()) {
    const program = await compiled(engine, await predictorFor(asIs, samples[indices[0]!]!));
    try {
      for (const [w, { values, channels }] of ways.entries())
        for (const i of indices)
          all[w]![i] = (await program.run(feedsOf(samples[i]!, (image) => fed(image, values, channels)))).prediction!;
    } finally {
      program.dispose();
    }
  }
  return all;
}

/** The samples' predictions where the output means something else; the model is fed as the specification says. */
export async function readAs(engine: Engine, view: View, samples: readonly Prepared[], meaning: string): Promise<Tensor[]> {
  const { spec } = view;
  const other = { ...view, spec: { ...spec, output: { ...spec.output, meaning } } };
  const [predictions] = await predictAll(engine, other, samples, [
    { values: spec.range, channels: spec.channels === "bgr" ? "bgr" : "rgb" },
  ]);
  return predictions!.map((p) => unstack(p, 0));
}

function compiled(engine: Engine, predictor: Predictor): Promise<Program> {
  const graph = new Graph();
  const images = Object.fromEntries(
    Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)]),
  );
  graph.output("prediction", predictor.predict(graph, images));
  return engine.compile(lower(graph, engine.info.provider));
}

const feedsOf = ({ images }: Prepared, changed: (image: Tensor<"float32">) => Tensor<"float32">) =>
  Object.fromEntries(Object.entries(images).map(([role, image]) => [role, stack([changed(image)])]));

/** An image [3, H, W] of [0, 1] in a model's values and channel order; mean and deviation are in the model's order. */
function fed(image: Tensor<"float32">, range: ValueRange, channels: "rgb" | "bgr"): Tensor<"float32"> {
  const area = image.data.length / 3;
  const [factor, offset] = affine(range);
  const from = (c: number) => (channels === "bgr" ? 2 - c : c);
  const data = image.data.map((_, i) => {
    const c = Math.floor(i / area);
    return image.data[from(c) * area + (i % area)]! * factor(c) + offset(c);
  });
  return { ...image, data };
}

function affine(range: ValueRange): readonly [factor: (c: number) => number, offset: (c: number) => number] {
  if (range === "0..1") return [() => 1, () => 0];
  if (range === "0..255") return [() => 255, () => 0];
  if (range === "-1..1") return [() => 2, () => -1];
  const [mean, std] = [range.mean, range.std].map((v) => (c: number) => v[c] ?? v[0]) as [
    (c: number) => number,
    (c: number) => number,
  ];
  return [(c) => 1 / std(c), (c) => -mean(c) / std(c)];
}

function nameOf({ range }: ModelSpec): RangeName {
  const known = Object.entries(ranges).find(([, r]) => JSON.stringify(r) === JSON.stringify(range));
  return (known?.[0] as RangeName | undefined) ?? "as given";
}

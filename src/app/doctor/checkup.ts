import { foldBatchNormalization } from "../../engine/compile/fold-batch-normalization.js";
import { lower } from "../../engine/compile/lower.js";
import { Graph } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { decided, fixedModel, predictorOf } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { postprocess } from "../../vision/spec/splice.js";
import type { Prepared } from "../attack/prepare.js";
import { stack, unstack } from "../attack/tensors.js";
import { type Finding, good, percent, unsure, wrong } from "./finding.js";
import { gradientReaches } from "./gradient.js";
import { labelRange } from "./labels.js";
import { readOutput } from "./output.js";
import { confidence, quality, type RangeName, type Reading, ranges, scaleOf } from "./score.js";
import { sizeRule } from "./size-rule.js";

/** Better by this much of quality counts; less may be chance on a few images. */
const margin = 0.05;
/** Where no way of feeding the model reaches this, none is recommended. */
const leastQuality = 0.5;

/**
 * Runs a model on a few samples of one size under every usual way to feed it, and says what looks wrong. Nothing is changed: the findings recommend.
 *
 * @param samples prepared with label offset 0 and the specification's ignored labels, all of one size.
 */
export async function checkup(
  engine: Engine,
  model: OnnxModel,
  spec: ModelSpec,
  samples: readonly Prepared[],
): Promise<Finding[]> {
  const [, height, width] = Object.values(samples[0]!.images)[0]!.shape as [number, number, number];
  const size = { batch: 1, height, width };
  const fixed = foldBatchNormalization(await fixedModel(model, spec, size, (m) => engine.evaluate(m)));
  const run = (as: ModelSpec, read: typeof postprocess) => predictAll(engine, fixed, as, size, read, samples);

  const decision = decided(fixed, spec);
  if (decision) {
    const [last] = decision.ends.lastValues;
    return [wrong("gradient", `No attack can follow this model. ${decision.message}`, ...(last ? ["--of", last.name] : []))];
  }
  const findings: Finding[] = [await sizeRule(engine, model, spec)];
  if (model.graph.outputs.length > 1 && spec.output.name === undefined)
    findings.push(
      unsure(
        "outputs",
        `The model has several outputs (${model.graph.outputs.map((o) => o.name).join(", ")}) and the first is read; name another with --of.`,
      ),
    );
  const raw = readOutput(await run(spec, (value) => value), spec, { height, width });
  findings.push(...raw.findings, await gradientReaches(engine, fixed, raw.spec, size, samples[0]!));

  const candidates: { reading: Reading; predictions: Tensor[] }[] = [];
  const given: Reading = { range: nameOf(spec), channels: spec.channels === "bgr" ? "bgr" : "rgb", offset: spec.labelOffset };
  const rangeNames = [...new Set([given.range, ...(Object.keys(ranges) as RangeName[])])];
  for (const range of rangeNames) {
    for (const channels of spec.channels === "gray" ? ["rgb" as const] : ["rgb" as const, "bgr" as const]) {
      const fed: ModelSpec = {
        ...raw.spec,
        range: range === "as given" ? spec.range : ranges[range],
        channels: spec.channels === "gray" ? "gray" : channels,
      };
      const predictions = (await run(fed, postprocess)).map((p) => unstack(p, 0));
      candidates.push({ reading: { range, channels, offset: 0 }, predictions });
    }
  }
  const labelled = samples.some((s) => s.target !== undefined);
  const classes = spec.task === "classification" || spec.task === "segmentation";
  const own = candidates.find((c) => c.reading.range === given.range && c.reading.channels === given.channels)!;
  if (!labelled) {
    findings.push(
      ...(classes ? surest(candidates, own) : []),
      unsure("labels", "Without labels nothing more can be told; give labelled data."),
    );
    return findings;
  }
  const offsets = classes ? [...new Set([spec.labelOffset, 0, -1, 1])] : [0];
  const scored = candidates.flatMap(({ reading, predictions }) =>
    offsets.map((offset) => ({ reading: { ...reading, offset }, quality: quality(predictions, samples, spec, offset) })),
  );
  const advice = compare(scored, classes ? given : { ...given, offset: 0 }, spec);
  findings.push(...advice.findings);
  const settled = candidates.find((c) => c.reading.range === advice.best.range && c.reading.channels === advice.best.channels)!;
  if (classes) findings.push(labelRange(samples, settled.predictions[0]!.shape[0]!, spec, advice.best.offset));
  if (spec.task === "flow" || spec.task === "disparity") findings.push(outputScale(settled.predictions, samples, spec));
  return findings;
}

type Scored = { readonly reading: Reading; readonly quality: number };

/** The best way to feed the model against the given one; of what differs, only what matters by itself is recommended. */
function compare(scored: readonly Scored[], given: Reading, spec: ModelSpec): { findings: Finding[]; best: Reading } {
  const at = (r: Reading) =>
    scored.find((s) => s.reading.range === r.range && s.reading.channels === r.channels && s.reading.offset === r.offset)!
      .quality;
  const top = scored.reduce((a, b) => (b.quality > a.quality ? b : a));
  const clear = top.quality >= leastQuality && top.quality > at(given) + margin;
  let best = clear ? top.reading : given;
  for (const part of ["offset", "channels", "range"] as const) {
    const back = { ...best, [part]: given[part] };
    if (at(back) >= at(best) - margin) best = back;
  }
  const now = at(given);
  const findings: Finding[] = [];
  const what = spec.task === "classification" ? "images" : spec.task === "segmentation" ? "pixels" : undefined;
  const say = (q: number) =>
    what ? `${percent(q)} of the ${what} right` : `an error of ${percent(1 / q - 1)} of the target's size`;
  const flags = {
    range: best.range === "as given" ? [] : ["--range", best.range],
    channels: ["--channels", best.channels],
    offset: ["--label-offset", String(best.offset)],
  };
  const subjects = { range: "range", channels: "channel order", offset: "label offset" };
  for (const part of ["range", "channels", "offset"] as const) {
    if (part === "offset" && !what) continue;
    if (part === "channels" && spec.channels === "gray") continue;
    if (top.quality < leastQuality)
      findings.push(unsure(subjects[part], "Cannot be told: no way of feeding the model does well."));
    else if (best[part] === given[part]) findings.push(good(subjects[part], `${given[part]} does best or as well: ${say(now)}.`));
    else
      findings.push(
        wrong(subjects[part], `With ${best[part]} there are ${say(at(best))}; with all as given, ${say(now)}.`, ...flags[part]),
      );
  }
  if (top.quality < leastQuality)
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

function outputScale(predictions: readonly Tensor[], samples: readonly Prepared[], spec: ModelSpec): Finding {
  const { factor, correlation } = scaleOf(predictions, samples);
  if (Math.abs(correlation) < 0.8)
    return unsure(
      "output scale",
      `Predictions and truth hardly agree (correlation ${correlation.toFixed(2)}), so their scale cannot be told.`,
    );
  if (Math.abs(factor - 1) < 0.2)
    return good("output scale", `Predictions and truth have one scale (ratio ${factor.toFixed(3)}).`);
  const scale = Number((spec.output.scale * factor).toPrecision(3));
  return wrong(
    "output scale",
    `The truth is ${factor.toFixed(3)} times the prediction (correlation ${correlation.toFixed(2)}).`,
    "--output-scale",
    String(scale),
  );
}

async function predictAll(
  engine: Engine,
  fixed: Graph,
  spec: ModelSpec,
  size: { batch: number; height: number; width: number },
  read: typeof postprocess,
  samples: readonly Prepared[],
): Promise<Tensor[]> {
  const predictor = predictorOf(fixed, spec, size, read);
  const graph = new Graph();
  const images = Object.fromEntries(
    Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)]),
  );
  graph.output("prediction", predictor.predict(graph, images));
  const program = await engine.compile(lower(graph, engine.info.provider));
  try {
    const all: Tensor[] = [];
    for (const s of samples) {
      const feeds = Object.fromEntries(Object.entries(s.images).map(([role, image]) => [role, stack([image])]));
      all.push((await program.run(feeds)).prediction!);
    }
    return all;
  } finally {
    program.dispose();
  }
}

function nameOf({ range }: ModelSpec): RangeName {
  const known = Object.entries(ranges).find(([, r]) => JSON.stringify(r) === JSON.stringify(range));
  return (known?.[0] as RangeName | undefined) ?? "as given";
}

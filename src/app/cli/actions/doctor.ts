import { DataError } from "../../../vision/data/error.js";
import { resizeSample } from "../../../vision/data/fit.js";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import { imageRoles } from "../../../vision/spec/model-spec.js";
import { prepareAtModelSize } from "../../attack/model-size.js";
import type { Prepared } from "../../attack/prepare.js";
import { checkup } from "../../doctor/checkup.js";
import { readPredicting } from "../../read-predicting.js";
import type { DoctorFlags } from "../commands/doctor.js";
import { openFlagged } from "./data.js";
import { withEngine } from "./engine.js";
import { resolveSpec } from "./spec.js";

const marks = { good: "ok   ", wrong: "WRONG", unsure: "?    " } as const;

/** `faultline doctor model.onnx --task segmentation --data DIR` */
export async function doctor(path: string, flags: DoctorFlags): Promise<void> {
  const resolved = resolveSpec(path, flags);
  const model = await readPredicting(path, resolved);
  const said = completeSpec(model, resolved);
  const { dataset, spec } = await openFlagged(flags.data, said, flags);
  const count = Math.min(flags.samples, dataset.length);
  const samples: Prepared[] = [];
  let resize = flags.resize;
  for (let i = 0; i < count; i++) {
    const index = Math.floor((i * dataset.length) / count);
    const sample = await dataset.sample(index).catch((error: unknown) => {
      if (error instanceof DataError) process.stderr.write(`left out: ${error.message}\n`);
      else throw error;
    });
    if (!sample) continue;
    const unshifted = { ...spec, labelOffset: 0 };
    const sized = resize ? resizeSample(sample, resize, dataset.task) : sample;
    const prepared = prepareAtModelSize(sized, index, imageRoles[spec.task], unshifted, "resize");
    const [, height, width] = Object.values(prepared.images)[0]!.shape as [number, number, number];
    resize ??= { height, width };
    samples.push(prepared);
  }
  if (samples.length === 0) throw new DataError(`Not one of the ${count} samples that were tried in ${flags.data} can be read.`);
  const findings = await withEngine(flags, (engine) => checkup(engine, model, spec, samples));
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
    return;
  }
  const width = Math.max(...findings.map((f) => f.subject.length));
  for (const f of findings) process.stdout.write(`${marks[f.verdict]}  ${f.subject.padEnd(width)}  ${f.sentence}\n`);
  const advice = findings.flatMap((f) => f.flags ?? []);
  const wrong = findings.filter((f) => f.verdict === "wrong").length;
  process.stdout.write(
    advice.length > 0
      ? `Try: ${advice.join(" ")}\n`
      : wrong > 0
        ? "No flag puts this right.\n"
        : `Nothing looks wrong on ${samples.length} samples.\n`,
  );
}

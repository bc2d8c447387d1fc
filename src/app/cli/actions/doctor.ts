import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import type { ModelSpec, ModelSpecInput } from "../../../vision/spec/model-spec.js";
import { sidecarOf } from "../../../vision/spec/sidecar.js";
import { checkup } from "../../doctor/checkup.js";
import type { Finding } from "../../doctor/finding.js";
import { lookAt } from "../../doctor/samples.js";
import { withHeadRead } from "../../read-head.js";
import { readPredicting } from "../../read-predicting.js";
import type { DoctorFlags } from "../commands/doctor.js";
import { type SpecFlags, withSpec } from "../spec-options.js";
import { openFlagged } from "./data.js";
import { withEngine } from "./engine.js";
import { fitOf } from "./fit.js";
import { resolveSpec, type SaidSpec } from "./spec.js";
import { demandOutput } from "./write.js";

const marks = { good: "ok   ", wrong: "WRONG", unsure: "?    " } as const;

/** `faultline doctor model.onnx --task segmentation --data DIR` */
export async function doctor(path: string, flags: DoctorFlags): Promise<void> {
  const resolved = resolveSpec(path, flags);
  if (flags.write) demandOutput(flags.spec ?? sidecarOf(path), [], "--write");
  const model = await readPredicting(path, resolved.spec);
  const completed = await withHeadRead(model, completeSpec(model, resolved.spec));
  const { dataset, spec } = await openFlagged(flags.data, completed, flags, model);
  if (!flags.json) process.stderr.write(`${dataset.describe()}\n`);
  const {
    samples,
    mismatch,
    findings: looks,
  } = await lookAt(dataset, spec, fitOf(flags, spec), flags.samples, (why) => process.stderr.write(`left out: ${why}\n`));
  const [size, ...others] = await withEngine(flags, (engine) => checkup(engine, model, spec, samples, mismatch));
  const findings = [size!, ...looks, ...others];
  const advice = findings.flatMap((f) => f.flags ?? []);
  if (findings.some((f) => f.verdict === "wrong")) process.exitCode = 1;
  if (flags.json) process.stdout.write(`${JSON.stringify(findings, undefined, 2)}\n`);
  else process.stdout.write(`${text(findings, resolved, samples.length)}`);
  if (flags.write) {
    const { file, open } = writeSidecar(path, flags, findings, advice, spec);
    const left = open.length > 0 ? `; left out, since these images cannot tell: ${open.join(", ")}` : "";
    process.stderr.write(`${file} says so from now on${left}\n`);
  }
}

function text(findings: readonly Finding[], { assumed }: SaidSpec, count: number): string {
  const width = Math.max(...findings.map((f) => f.subject.length));
  const lines = findings.map((f) => `${marks[f.verdict]}  ${f.subject.padEnd(width)}  ${f.sentence}\n`);
  const advice = findings.flatMap((f) => f.flags ?? []);
  const wrong = findings.filter((f) => f.verdict === "wrong").length;
  const unsure = findings.filter((f) => f.verdict === "unsure").length;
  const confirmed = new Set(findings.flatMap((f) => (f.verdict === "unsure" ? [] : (fields[f.subject] ?? []))));
  const open = assumed.filter((a) => !confirmed.has(a.field));
  return [
    ...lines,
    ...(open.length > 0
      ? [`Assumed and not confirmed: ${open.map((a) => `${a.what} ${a.value} (${a.flag})`).join(", ")}.\n`]
      : []),
    advice.length > 0
      ? `Try: ${advice.join(" ")}   (--write keeps it beside the model)\n`
      : wrong > 0
        ? "No flag puts this right.\n"
        : `Nothing looks wrong on ${count} sample${count === 1 ? "" : "s"}${unsure > 0 ? `; ${unsure === 1 ? "one thing" : `${unsure} things`} (marked ?) cannot be told from them` : ""}.\n`,
  ].join("");
}

/** Fields of a specification by the subject of the finding that settles them. */
const fields: Readonly<Record<string, string>> = {
  range: "range",
  "channel order": "channels",
  meaning: "output.meaning",
  "output scale": "output.scale",
  "output range": "output.range",
  head: "output.head",
};

/** Writes what was said and what was found beside the model; what could not be told and nobody said stays out of it. */
function writeSidecar(
  path: string,
  flags: DoctorFlags,
  findings: readonly Finding[],
  advice: readonly string[],
  { output: { head: headRead } }: ModelSpec,
): { readonly file: string; readonly open: readonly string[] } {
  const file = flags.spec ?? sidecarOf(path);
  const parsed = withSpec(new Command())
    .parse([...advice], { from: "user" })
    .opts() as SpecFlags;
  const { said, spec, assumed } = resolveSpec(path, { ...flags, ...parsed });
  const confirmed = new Set(findings.flatMap((f) => (f.verdict === "good" ? (fields[f.subject] ?? []) : [])));
  const settled = assumed.filter((a) => confirmed.has(a.field)).map((a) => a.field);
  const output = {
    ...said.output,
    ...(settled.includes("output.meaning") && { meaning: spec.output.meaning }),
    ...(settled.includes("output.scale") && { scale: spec.output.scale }),
    ...(settled.includes("output.head") && { head: headRead }),
    ...(settled.includes("output.range") && { range: spec.output.range as "0..1" }),
  };
  const written: Partial<ModelSpecInput> = {
    task: spec.task,
    ...said,
    ...(settled.includes("range") && { range: spec.range }),
    ...(settled.includes("channels") && { channels: spec.channels }),
    ...(Object.keys(output).length > 0 ? { output } : { output: undefined }),
  };
  writeFileSync(file, `${JSON.stringify(written, undefined, 2)}\n`);
  return { file, open: assumed.filter((a) => !settled.includes(a.field)).map((a) => a.what) };
}

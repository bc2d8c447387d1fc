import { existsSync } from "node:fs";
import type { Attack } from "../../../methods/attacks/definition.js";
import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { asNamed, type Places } from "../../attack/places.js";
import type { AttackPlan } from "../../attack/plan.js";
import { fingerprintOf } from "../../data/fingerprint.js";
import { openData } from "../../data/open-data.js";
import { hashFile } from "../../hash-file.js";
import type { AttackCommandFlags } from "../commands/attack.js";
import type { DataFlags } from "../data-options.js";
import { UsageError } from "../errors.js";
import { dataOptions } from "./data.js";

/** What is learned from where nothing is said. */
const usualShare = 0.5;

/** @throws UsageError where flags about learning are for attacks that learn nothing. */
export function demandLearner(attacks: readonly Attack[], { fitOn, perturbation }: AttackCommandFlags): void {
  const flag = fitOn === undefined ? (perturbation === undefined ? undefined : "--perturbation") : "--fit-on";
  if (flag && !attacks.some(({ definition }) => definition.fit))
    throw new UsageError(
      `${flag} goes with attacks that learn something for all images (universal, patch); ${attacks.map(({ name }) => name).join(", ")} attacks each image by itself. Leave it out.`,
    );
  if (fitOn !== undefined && perturbation !== undefined)
    throw new UsageError("--perturbation takes the place of learning, so there is nothing for --fit-on; name one of them.");
}

/** Where an attack learns, as the plan keeps it; undefined where it learns nothing. */
export async function fitOnOf(
  { name, definition }: Attack,
  flags: Pick<AttackCommandFlags, "fitOn" | "perturbation" | "shard"> & DataFlags,
  spec: ModelSpec,
  at: Places = asNamed,
): Promise<AttackPlan["fitOn"]> {
  if (!definition.fit) return undefined;
  const { what } = definition.fit;
  const { fitOn, perturbation: path } = flags;
  if (path !== undefined) {
    if (!existsSync(at(path)))
      throw new UsageError(`--perturbation ${path}: no such file; a run of ${name} has ${what}.safetensors.`);
    return { kind: "file", path, sha256: await hashFile(at(path)) };
  }
  if (flags.shard)
    throw new UsageError(
      `--shard: ${name} learns one ${what} for all samples; run it once without --shard, then the parts with --perturbation RUN/${what}.safetensors.`,
    );
  if (fitOn === undefined || /^[\d.]+$/.test(fitOn)) {
    const share = fitOn === undefined ? usualShare : Number(fitOn);
    if (!(share > 0 && share < 1))
      throw new UsageError(`--fit-on ${fitOn}: write a share between 0 and 1, such as 0.5, or the folder of another data set.`);
    return { kind: "share", share };
  }
  if (/^\d+,\d+$/.test(fitOn) && !existsSync(at(fitOn)))
    throw new UsageError(`--fit-on ${fitOn}: write ${fitOn.replace(",", ".")}, with a point.`);
  const { dataset, name: given } = await openData(fitOn, { task: spec.task, at, ...dataOptions(flags) }, spec.size);
  return { kind: "data", path: given, sha256: await fingerprintOf(dataset), length: dataset.length };
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { readImage } from "../../../vision/data/node/image-file.js";
import { sentenceOf } from "../../cli/errors.js";
import { perturbationSize } from "../eight-bit.js";
import { type AttackContext, type AttackRecord, preparedSample } from "../run-attack.js";
import type { FileEvidence } from "./evidence.js";

/** Reads a sample's saved images again and measures them against the clean ones, made anew from the data set. */
export async function compareFiles(context: AttackContext, record: AttackRecord, folder: string): Promise<FileEvidence> {
  const { plan, region } = context;
  const { sample, files } = record;
  const { norm } = plan.attack.budget;
  try {
    const { images } = await preparedSample(context, record.index);
    let [size, trespass] = [0, false];
    if (record.floats) {
      const { tensors } = parseSafetensors(readFileSync(join(folder, record.floats)));
      for (const [role, clean] of Object.entries(images)) {
        const own = perturbationSize(tensors.get(role) as Tensor<"float32">, clean)[norm];
        size = Math.max(size, own);
      }
    }
    for (const [role, clean] of Object.entries(images)) {
      const saved = await readImage(join(folder, files![role]!));
      if (`${saved.shape}` !== `${clean.shape}`)
        return {
          sample,
          size: 0,
          trespass,
          problem: `is ${saved.shape[2]}x${saved.shape[1]}, the clean image ${clean.shape[2]}x${clean.shape[1]}`,
        };
      const own = perturbationSize(saved, clean)[norm];
      if (Math.abs(own - record.perturbation![role]![norm]) > 1e-5 * Math.max(1, own))
        return { sample, size: own, trespass, problem: "does not have the perturbation that the run recorded" };
      const mayChange = !plan.threat.perturb || plan.threat.perturb.includes(role);
      if (mayChange) size = Math.max(size, own);
      else trespass ||= own > 0;
      if (region) trespass ||= clean.data.some((v, i) => region.data[i % region.data.length] === 0 && saved.data[i] !== v);
    }
    return { sample, size, trespass };
  } catch (error) {
    return { sample, size: 0, trespass: false, problem: sentenceOf(error) };
  }
}

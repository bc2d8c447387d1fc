import { existsSync } from "node:fs";
import type { Engine } from "../../engine/runtime/engine.js";
import type { Shape } from "../../engine/tensor/tensor.js";
import { modelTransform, type Transform, type TransformName, transforms } from "../../methods/attacks/transforms/index.js";
import { UsageError } from "../cli/errors.js";
import { hashFile } from "../hash-file.js";
import { readModelAloud } from "../read-model.js";
import { asNamed, type Places } from "./places.js";
import type { AttackPlan } from "./plan.js";
import { usualSamples } from "./usual.js";

type Eot = NonNullable<AttackPlan["threat"]["eot"]>;

/**
 * `--eot` and `--eot-samples` as the plan holds them; a file's content counts, not its name alone.
 *
 * @throws UsageError when the word names neither a built-in transform nor a file, and for a number of samples of nothing.
 */
export async function eotOf(
  transform: string | undefined,
  given: number | undefined,
  at: Places = asNamed,
): Promise<Eot | undefined> {
  if (transform === undefined && given !== undefined)
    throw new UsageError("--eot-samples goes with --eot, which says what is drawn.");
  if (transform === undefined) return undefined;
  const samples = given ?? usualSamples;
  if (transform in transforms) return { transform, samples };
  if (!existsSync(at(transform)))
    throw new UsageError(
      `--eot ${transform}: there is neither a built-in transform (${Object.keys(transforms).join(", ")}) nor an ONNX file of that name.`,
    );
  return { transform, samples, sha256: await hashFile(at(transform)) };
}

/** The transform that a plan names, for a batch of images of one shape. */
export async function transformOf(
  eot: Eot | undefined,
  image: Shape,
  engine: Engine,
  at: Places = asNamed,
): Promise<Transform | undefined> {
  if (!eot) return undefined;
  if (eot.sha256 === undefined) return transforms[eot.transform as TransformName](eot.samples);
  return modelTransform(await readModelAloud(at(eot.transform)), eot.transform, eot.samples, image, (m) => engine.evaluate(m));
}

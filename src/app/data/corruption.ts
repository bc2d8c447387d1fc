import { nearest } from "../../engine/onnx/nearest.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { type Corrupting, corruptions, type Severity, severities } from "../../vision/corruptions/index.js";
import { DataError } from "../../vision/data/error.js";
import { imagesBelow, readImage } from "../../vision/data/node/index.js";
import { asNamed, type Places } from "../attack/places.js";

/**
 * What `--corruption` says: `fog:3`, `fog:3,seed=1`, `frost:2,pictures=FOLDER`.
 *
 * @throws DataError in one sentence.
 */
export async function readCorruption(text: string, at: Places = asNamed): Promise<Corrupting> {
  const { kind, strength, given } = corruptionWords(text);
  return {
    corruption: corruptionCalled(kind),
    severity: readSeverity(strength ?? "", text),
    ...(given.seed !== undefined && { seed: given.seed }),
    ...(await overlaysFor(kind, given.pictures === undefined ? undefined : at(given.pictures))),
  };
}

/** The parts of what `--corruption` says. @throws DataError for a setting that there is not. */
export function corruptionWords(text: string): {
  readonly kind: string;
  readonly strength: string | undefined;
  readonly given: { readonly seed?: string; readonly pictures?: string };
} {
  const [what = "", ...settings] = text.split(",");
  const [kind = "", strength] = what.split(":");
  const given = Object.fromEntries(
    settings.map((setting) => {
      const [name = "", ...rest] = setting.split("=");
      if (rest.length === 0 || !["seed", "pictures"].includes(name))
        throw new DataError(`corruption ${text}: "${setting}" is no setting; write fog:3,seed=1 or frost:3,pictures=FOLDER.`);
      return [name, rest.join("=")];
    }),
  );
  return { kind, strength, given };
}

/** @throws DataError for an unknown name. */
export function corruptionCalled(name: string): Corrupting["corruption"] {
  const corruption = Object.hasOwn(corruptions, name) ? corruptions[name] : undefined;
  if (corruption) return corruption;
  const [like] = nearest(name, Object.keys(corruptions));
  throw new DataError(
    `there is no corruption "${name}"${like === undefined ? "" : ` (did you mean ${like}?)`}; there are ${Object.keys(corruptions).join(", ")}.`,
  );
}

/** @throws DataError where it is no whole number from 1 to 5. */
export function readSeverity(text: string, within: string): Severity {
  const severity = severities.find((s) => String(s) === text);
  if (severity) return severity;
  throw new DataError(`corruption ${within}: severities are 1 to 5, as in fog:3${text === "" ? "" : `, not "${text}"`}.`);
}

/**
 * The pictures that a corruption lays over images, from a folder.
 *
 * @throws DataError where it needs some and has none, or takes none.
 */
export async function overlaysFor(kind: string, folder: string | undefined): Promise<{ overlays?: Tensor<"float32">[] }> {
  const { overlays } = corruptionCalled(kind);
  if (!overlays) {
    if (folder !== undefined) throw new DataError(`${kind} lays no pictures over the image; leave pictures=${folder} out.`);
    return {};
  }
  if (folder === undefined)
    throw new DataError(
      `${kind} lays photographs over the image, and none come with this program; name a folder of them (pictures=FOLDER), or take procedural_${kind}, which is computed and compares with no published number.`,
    );
  const files = await imagesBelow(folder);
  if (files.length === 0) throw new DataError(`${folder} holds no pictures for ${kind}.`);
  return { overlays: await Promise.all(files.map((file) => readImage(file))) };
}

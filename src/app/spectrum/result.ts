import type { Graph } from "../../engine/graph/graph.js";
import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { stack, unstack } from "../../engine/tensor/arrays.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { type Attack, type AttackBudget, compileAttack } from "../../methods/attacks/definition.js";
import { fingerprint, type PlaceSpectrum, placeSpectra, ringFrequencies } from "../../methods/spectrum/index.js";
import { modelPredictor } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import type { Task } from "../../vision/tasks/index.js";
import type { Pictures } from "../picture-feeds.js";

/** What `faultline spectrum` finds: spectrum.json holds it. */
export interface SpectrumResult {
  readonly version: string;
  readonly model: { readonly path: string; readonly sha256: string };
  readonly pictures: { readonly source: string; readonly samples: readonly string[] };
  /** Middles of the rings that radial powers are given for, in cycles per pixel. */
  readonly frequencies: readonly number[];
  readonly places: readonly PlaceSpectrum[];
  readonly underAttack?: UnderAttack;
}

/** Mean radial powers of what the model sees and says, clean and under attack. */
export interface UnderAttack {
  readonly attack: string;
  readonly norm: AttackBudget["norm"];
  readonly epsilon?: number;
  readonly steps?: number;
  readonly perturbation: readonly number[];
  /** Absent where predictions are of whole images, and no maps. */
  readonly prediction?: { readonly clean: readonly number[]; readonly attacked: readonly number[] };
}

export interface SpectrumAttack {
  readonly attack: Attack;
  readonly task: Task;
}

/** Measures every layer that changes the resolution and, where an attack is asked for, what it does to the spectra of input and output. */
export async function spectrumOf(
  engine: Engine,
  file: OnnxModel,
  graph: Graph,
  spec: ModelSpec,
  pictures: Pictures,
  attack: SpectrumAttack | undefined,
): Promise<Pick<SpectrumResult, "frequencies" | "places" | "underAttack">> {
  return {
    frequencies: ringFrequencies,
    places: await placeSpectra(engine, graph, pictures.feeds),
    ...(attack && { underAttack: await underAttack(engine, file, graph, spec, pictures, attack) }),
  };
}

async function underAttack(
  engine: Engine,
  file: OnnxModel,
  graph: Graph,
  spec: ModelSpec,
  pictures: Pictures,
  { attack, task }: SpectrumAttack,
): Promise<UnderAttack> {
  const [, , height, width] = Object.values(pictures.images[0]!)[0]!.shape as [number, number, number, number];
  const predictor = await modelPredictor(file, spec, { batch: 1, height, width }, engine.evaluate);
  const compiled = await compileAttack(engine, attack, { predictor, task, ignore: spec.ignore });
  const { norm, epsilon, steps } = attack.budget;
  const roles = Object.keys(predictor.images);
  const maps: Record<"perturbation" | "clean" | "attacked", Tensor<"float32">[]> = { perturbation: [], clean: [], attacked: [] };
  try {
    for (const [i, byInput] of pictures.images.entries()) {
      const ordered = graph.inputs.map(({ name: input }) => byInput[input]!);
      const images = Object.fromEntries(roles.map((role, k) => [role, ordered[k]!]));
      const clean = await compiled.predict(images);
      const own = task.ownTarget(unstack(clean, 0), spec.output);
      const target = stack([task.assigned?.(own, unstack(clean, 0)) ?? own]);
      const outcome = await compiled.run({ images, target, samples: [pictures.samples[i]!], seed: 0 });
      maps.clean.push(clean);
      maps.attacked.push(outcome.prediction);
      for (const role of roles) {
        const moved = outcome.images[role]!;
        maps.perturbation.push(
          tensor(
            "float32",
            moved.shape,
            moved.data.map((v, k) => v - images[role]!.data[k]!),
          ),
        );
      }
    }
  } finally {
    compiled.dispose();
  }
  return {
    attack: attack.name,
    norm,
    ...(epsilon !== undefined && { epsilon }),
    ...(steps !== undefined && { steps }),
    perturbation: await fingerprint(engine, maps.perturbation),
    ...(maps.clean[0]!.shape.length === 4 && {
      prediction: { clean: await fingerprint(engine, maps.clean), attacked: await fingerprint(engine, maps.attacked) },
    }),
  };
}

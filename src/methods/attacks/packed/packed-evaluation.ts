import type { Engine } from "../../../engine/runtime/engine.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { ProjectedAscent } from "../ascent/ascent.js";
import { type AttackedModel, imagesOf } from "../attacked-model.js";
import { type CompiledEvaluation, compileEvaluation } from "../evaluation.js";
import type { Judgement } from "../outcome.js";
import { chosenSamples, entriesOf, inParts } from "./chosen-samples.js";

/** An evaluation of any number of images, by a program for `size` of them. */
export interface PackedEvaluation extends CompiledEvaluation {
  readonly size: number;
  /** The model for one part, for programs that see parts too. */
  readonly part: AttackedModel;
}

/**
 * Compiles what judges images, for attacks that do not look at a batch as it is but at what is left of it: the program is for as many images as the
 * predictor takes, and runs as often as the images fill it.
 */
export async function compilePacked(
  engine: Engine,
  { batch: _, ...part }: AttackedModel,
  loss?: ProjectedAscent["loss"],
): Promise<PackedEvaluation> {
  const one = await compileEvaluation(engine, part, loss);
  const size = Object.values(imagesOf(part))[0]![0]!;
  return {
    size,
    part,
    loss: one.loss,
    async evaluate(batch, images) {
      if (batch.samples.length === size) return one.evaluate(batch, images);
      const parts: Judgement[] = [];
      for (const samples of inParts([...batch.samples.keys()], size)) {
        const some = chosenSamples({ ...batch, images }, samples, size);
        parts.push(firstOf(await one.evaluate(some, some.images), samples.length));
      }
      return joined(parts);
    },
    async predict(images) {
      const parts: Tensor<"float32">[] = [];
      const all = [...Array(Object.values(images)[0]!.shape[0]!).keys()];
      for (const places of inParts(all, size)) {
        const filled = Array.from({ length: size }, (_, i) => places[Math.min(i, places.length - 1)]!);
        const some = Object.fromEntries(Object.entries(images).map(([role, t]) => [role, entriesOf(t, filled)]));
        parts.push(firstEntries(await one.predict(some), places.length));
      }
      return joinedTensors(parts);
    },
    dispose: () => one.dispose(),
  };
}

const firstEntries = (t: Tensor<"float32">, count: number): Tensor<"float32"> =>
  tensor("float32", [count, ...t.shape.slice(1)], t.data.slice(0, count * sizeOf(t.shape.slice(1))));

/** Without what a part was filled up with. */
export const firstOf = ({ prediction, loss, correct }: Judgement, count: number): Judgement => ({
  prediction: firstEntries(prediction, count),
  loss: loss.slice(0, count),
  correct: correct.slice(0, count),
});

function joinedTensors(parts: readonly Tensor<"float32">[]): Tensor<"float32"> {
  if (parts.length === 1) return parts[0]!;
  const count = parts.reduce((n, p) => n + p.shape[0]!, 0);
  const whole = tensor("float32", [count, ...parts[0]!.shape.slice(1)]);
  let at = 0;
  for (const { data } of parts) {
    whole.data.set(data, at);
    at += data.length;
  }
  return whole;
}

const joined = (parts: readonly Judgement[]): Judgement => ({
  prediction: joinedTensors(parts.map((p) => p.prediction)),
  loss: Float32Array.from(parts.flatMap((p) => [...p.loss])),
  correct: Float32Array.from(parts.flatMap((p) => [...p.correct])),
});

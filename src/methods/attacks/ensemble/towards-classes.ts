import type { Value } from "../../../engine/graph/graph.js";
import { add, clip, div, mul, slice, squeeze, sub, topK } from "../../../engine/operators/index.js";
import type { Engine } from "../../../engine/runtime/engine.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { pick } from "../../../vision/tasks/classes.js";
import type { PixelFunction, Task } from "../../../vision/tasks/index.js";
import type { ProjectedAscent } from "../ascent/ascent.js";
import { compileAscent } from "../ascent/compile-ascent.js";
import type { AttackedModel } from "../attacked-model.js";
import type { AttackBatch, AttackHooks } from "../batch.js";
import type { CompiledAttack } from "../definition.js";
import { AttackError } from "../error.js";
import type { AttackOutcome, StepRecord } from "../outcome.js";
import { compilePacked } from "../packed/packed-evaluation.js";
import { joinRecord, Turns } from "./turns.js";
import { classesOf } from "./worst-of.js";

/**
 * A projected ascent on the targeted DLR loss, towards one class after the other: the `targets` likeliest ones of the clean image besides its own. An image
 * that is wrong is left alone; what counts is that its class is left, whichever it goes to.
 */
export async function towardsClasses(
  engine: Engine,
  ascent: ProjectedAscent,
  targets: number,
  model: AttackedModel,
): Promise<CompiledAttack> {
  const evaluation = await compilePacked(engine, model);
  const classes = classesOf(evaluation.part);
  if (classes < 4) {
    evaluation.dispose();
    throw new AttackError(
      `${ascent.name} compares four logits, and the model has ${classes} classes; take apgd, with the loss cross-entropy or dlr.`,
    );
  }
  const search = await compileAscent(engine, ascent, { ...evaluation.part, task: withWanted(model.task) });
  return {
    ...evaluation,
    async run(batch: AttackBatch, hooks: AttackHooks = {}): Promise<AttackOutcome> {
      const turns = await Turns.begin(batch, evaluation);
      const steps: StepRecord[] = [];
      for (let rank = 1; rank <= Math.min(targets, classes - 1); rank++)
        await turns.take(async (some, samples) => {
          const wanted = samplesFilled(samples, evaluation.size).map((b) =>
            classAt(turns.clean.prediction, batch.target, b, rank),
          );
          const pairs = Array.from(some.target.data as BigInt64Array).flatMap((label, i) => [Number(label), wanted[i]!]);
          const target = tensor("int64", [evaluation.size, 2], pairs);
          const found = await search.search({ ...some, target }, rank, hooks);
          if (rank === 1) found.steps.forEach((record, t) => joinRecord(steps, t, record, samples, batch.samples.length));
          return found.images;
        }, evaluation.size);
      return { ...(await turns.outcome()), steps };
    },
    dispose() {
      evaluation.dispose();
      search.dispose();
    },
  };
}

const samplesFilled = (samples: readonly number[], size: number): number[] =>
  Array.from({ length: size }, (_, i) => samples[Math.min(i, samples.length - 1)]!);

/** The class of the given rank among those that are not the label; the likeliest has rank 1. */
function classAt({ data, shape }: Tensor<"float32">, target: Tensor, sample: number, rank: number): number {
  const classes = shape[1]!;
  const label = Number(target.data[sample]);
  const logits = data.subarray(sample * classes, (sample + 1) * classes);
  const others = [...logits.keys()].filter((k) => k !== label).sort((a, b) => logits[b]! - logits[a]! || a - b);
  return others[rank - 1]!;
}

/** A task whose targets are pairs [B, 2] of the class that is left and the class that is wanted. */
function withWanted(task: Task): Task {
  const column = (pairs: Value, i: number): Value => squeeze(slice(pairs, [i], [i + 1], { axes: [1] }), [1]);
  const left =
    (of: PixelFunction): PixelFunction =>
    (z, pairs, options) =>
      of(z, column(pairs, 0), options);
  /** Croce & Hein 2020, eq. 7: -(z_y - z_t) / (z_π1 - (z_π3 + z_π4) / 2) */
  const targetedDlr: PixelFunction = (z, pairs, options) => {
    const [label, wanted] = [column(pairs, 0), column(pairs, 1)];
    const [sorted] = topK(z, 4, 1);
    const place = (i: number) => column(sorted!, i);
    const spread = sub(place(0), mul(add(place(2), place(3)), 0.5));
    const lead = div(sub(pick(z, wanted), pick(z, label)), clip(spread, 1e-12));
    return mul(lead, task.counted(z, label, options));
  };
  return {
    ...task,
    target: ({ shape }) => ({ type: "int64", shape: [shape[0]!, 2] }),
    losses: { "targeted-dlr": targetedDlr },
    correct: left(task.correct),
    counted: left(task.counted),
  };
}

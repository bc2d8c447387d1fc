import type { Engine } from "../../../engine/runtime/engine.js";
import type { AttackedModel } from "../attacked-model.js";
import type { AttackBatch, AttackHooks } from "../batch.js";
import { type Attack, type CompiledAttack, compileAttack } from "../definition.js";
import { AttackError } from "../error.js";
import type { AttackOutcome, StepRecord, TurnRecord } from "../outcome.js";
import { compilePacked } from "../packed/packed-evaluation.js";
import type { Transform } from "../transforms/transform.js";
import { joinRecord, Turns } from "./turns.js";
import { classesOf } from "./worst-of.js";

/** An attack of several, by the name that it has among them. */
export interface Turn {
  readonly name: string;
  readonly attack: Attack;
  /** How often it is tried from other starts, each on what is left; absent: once. */
  readonly repeats?: number;
}

/**
 * Several attacks one after the other, each on the images that those before it did not break. Results are measured by the task's first loss, and the
 * records of the steps are those of the first attack.
 *
 * @throws AttackError where the model has too few classes for their losses.
 */
export async function inTurn(engine: Engine, turns: readonly Turn[], model: AttackedModel): Promise<CompiledAttack> {
  const evaluation = await compilePacked(engine, model);
  const classes = classesOf(evaluation.part);
  if (classes < 4) {
    evaluation.dispose();
    throw new AttackError(
      `AutoAttack's attacks compare four logits, and the model has ${classes} classes; take ensemble, or apgd and square one by one.`,
    );
  }
  const compiled: { readonly turn: Turn; readonly attack: CompiledAttack; readonly size: number }[] = [];
  for (const turn of turns) {
    const { definition } = turn.attack;
    // What searches in predictions has no gradient to average; results are measured without the transform in any case.
    const { transform: _, ...plain } = evaluation.part;
    const attacked = definition.handles.includes("transform") ? evaluation.part : plain;
    const size = definition.partOf ? 0 : evaluation.size;
    compiled.push({ turn, attack: await compileAttack(engine, turn.attack, attacked), size });
  }
  return {
    ...evaluation,
    async run(batch: AttackBatch, hooks: AttackHooks = {}): Promise<AttackOutcome> {
      const state = await Turns.begin(batch, evaluation);
      const after: TurnRecord[] = [];
      const steps: StepRecord[] = [];
      for (const [place, { turn, attack, size }] of compiled.entries()) {
        for (let repeat = 0; repeat < (turn.repeats ?? 1); repeat++)
          await state.take(async (some, samples) => {
            const seed = repeat === 0 ? batch.seed : `${batch.seed}/${repeat}`;
            const found = await attack.run({ ...some, seed }, hooks);
            if (place === 0 && repeat === 0)
              for (const [t, record] of found.steps.entries()) joinRecord(steps, t, record, samples, batch.samples.length);
            return found.images;
          }, size);
        after.push({ attack: turn.name, correct: state.right });
      }
      return { ...(await state.outcome()), steps, after };
    },
    dispose() {
      evaluation.dispose();
      for (const { attack } of compiled) attack.dispose();
    },
  };
}

/** No transform at all, so many times: the gradient of a model that is random itself is averaged over its own draws. */
export const repeatedPredictions = (samples: number): Transform => ({
  name: "none",
  samples,
  moves: "nothing",
  noise: ([batch]) => [batch!, 1],
  apply: (image) => image,
});

import type { Engine } from "../../engine/runtime/engine.js";
import type { AttackBatch, AttackHooks } from "./compile-attack.js";
import { type Aim, type Attack, type CompiledAttack, compileAttack } from "./definition.js";
import { type AttackOutcome, selectStronger } from "./outcome.js";
import { type AttackedModel, predictionGraph } from "./step-graph.js";

/** Several attacks on one model, as one; of each image the worst result is kept. */
export async function worstOf(
  engine: Engine,
  membersFor: (aim: Aim) => readonly Attack[],
  model: AttackedModel,
): Promise<CompiledAttack> {
  const { task, goal = "untargeted" } = model;
  const members: CompiledAttack[] = [];
  for (const member of membersFor({ task, goal, classes: classesOf(model) }))
    members.push(await compileAttack(engine, member, model));
  const first = members[0]!;
  return {
    loss: first.loss,
    /** Losses are the first member's: another loss (dlr) decides where its member searches, not how its result is measured. */
    async run(batch: AttackBatch, hooks: AttackHooks = {}): Promise<AttackOutcome> {
      let worst: AttackOutcome | undefined;
      for (const member of members) {
        let outcome = await member.run(batch, hooks);
        if (worst && member.loss !== first.loss)
          outcome = { ...outcome, ...(await first.evaluate(batch, outcome.images)), steps: worst.steps };
        worst = worst ? selectStronger(worst, outcome, goal, "correct") : outcome;
      }
      return worst!;
    },
    predict: (images) => first.predict(images),
    evaluate: (batch, images) => first.evaluate(batch, images),
    dispose() {
      for (const member of members) member.dispose();
    },
  };
}

/** Classes of a model: channels of its prediction, whatever they mean. */
export const classesOf = (model: AttackedModel): number => predictionGraph(model).outputs.get("prediction")!.shape[1]!;

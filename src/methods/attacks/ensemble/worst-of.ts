import type { Engine } from "../../../engine/runtime/engine.js";
import type { AttackedModel } from "../attacked-model.js";
import type { AttackBatch, AttackHooks } from "../batch.js";
import { type Aim, type Attack, type CompiledAttack, compileAttack } from "../definition.js";
import { predictionGraph } from "../evaluation-graph.js";
import { type AttackOutcome, type MemberOutcome, selectStronger } from "../outcome.js";

/** Several attacks on one model, as one; of each image the worst result is kept. */
export async function worstOf(
  engine: Engine,
  membersFor: (aim: Aim) => readonly Attack[],
  model: AttackedModel,
): Promise<CompiledAttack> {
  const { task, goal = "untargeted" } = model;
  const chosen = membersFor({ task, goal, classes: classesOf(model) });
  const names = namesOf(chosen);
  const members: CompiledAttack[] = [];
  for (const member of chosen) members.push(await compileAttack(engine, member, model));
  const first = members[0]!;
  return {
    loss: first.loss,
    /** Losses are the first member's: another loss (dlr) decides where its member searches, not how its result is measured. */
    async run(batch: AttackBatch, hooks: AttackHooks = {}): Promise<AttackOutcome> {
      let worst: AttackOutcome | undefined;
      const each: MemberOutcome[] = [];
      for (const [i, member] of members.entries()) {
        let outcome = await member.run(batch, hooks);
        if (worst && member.loss !== first.loss)
          outcome = { ...outcome, ...(await first.evaluate(batch, outcome.images)), steps: worst.steps };
        const { prediction, loss, correct } = outcome;
        each.push({ name: names[i]!, prediction, loss, correct });
        worst = worst ? selectStronger(worst, outcome, goal, "correct") : outcome;
      }
      return { ...worst!, members: each };
    },
    predict: (images) => first.predict(images),
    evaluate: (batch, images) => first.evaluate(batch, images),
    dispose() {
      for (const member of members) member.dispose();
    },
  };
}

/** Members by what tells them apart: the loss, the attack, or both. */
export function namesOf(members: readonly Attack[]): readonly string[] {
  const lossOf = ({ parameters: { loss } }: Attack) => (typeof loss === "string" ? loss : undefined);
  const different = (of: (member: Attack) => string) => {
    const names = members.map(of);
    return new Set(names).size === names.length ? names : undefined;
  };
  const both = (member: Attack) => [member.name, lossOf(member)].filter(Boolean).join(", ");
  return (
    different(({ name }) => name) ??
    different((member) => lossOf(member) ?? member.name) ??
    different(both) ??
    members.map((m, i) => `${i + 1}: ${both(m)}`)
  );
}

/** Classes of a model: channels of its prediction, whatever they mean. */
export const classesOf = (model: AttackedModel): number => predictionGraph(model).outputs.get("prediction")!.shape[1]!;

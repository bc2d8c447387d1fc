import { unstack } from "../../../engine/tensor/arrays.js";
import { square } from "../../../methods/attacks/catalogue/square.js";
import { type CompiledAttack, compileAttack } from "../../../methods/attacks/definition.js";
import { tasks } from "../../../vision/tasks/index.js";
import { attackedModel } from "../attacked-model.js";
import type { AttackPlan } from "../plan.js";
import { type AttackContext, type AttackRecord, preparedSample } from "../run-attack.js";
import { type Check, gained, notApplicable, wonBy } from "./check.js";
import type { BlackBoxTrial } from "./evidence.js";
import { batchImages, batchOf, hasMask, sizeOfPrepared } from "./samples.js";

/** Predictions that Square may ask for, for each sample: enough to show a masked gradient, too few to compete with one that is none. */
const queries = 100;

/** Whether Square can be held against a plan's attack: one that follows gradients in a ball of which there are squares, and measures by a loss with a name. */
function comparable({ attack }: AttackPlan): boolean {
  const { definition, budget, parameters } = attack;
  return (
    definition.follows === "gradients" &&
    definition.seeks === undefined &&
    budget.epsilon !== undefined &&
    budget.norm !== "l_0" &&
    definition.handles.length > 0 &&
    (parameters.loss === undefined || typeof parameters.loss === "string")
  );
}

/** Lets Square, which sees predictions alone, attack samples that the run's attack left unbroken (where nothing is broken or not: any), in the same ball. */
export async function tryBlackBox(
  context: AttackContext,
  done: readonly AttackRecord[],
  samples: number,
): Promise<readonly BlackBoxTrial[]> {
  const { engine, plan } = context;
  if (!comparable(plan)) return [];
  const { norm, epsilon } = plan.attack.budget;
  const loss = plan.attack.parameters.loss as string | undefined;
  const left = done.filter((r) => wonBy(plan, r, "adversarial") !== true).slice(0, samples);
  const trials: BlackBoxTrial[] = [];
  let current: { readonly key: string; readonly compiled: CompiledAttack } | undefined;
  try {
    for (const record of left) {
      const prepared = await preparedSample(context, record.index);
      const size = { batch: 1, ...sizeOfPrepared(prepared), valid: hasMask(context, prepared) };
      const key = JSON.stringify(size);
      if (current?.key !== key) {
        current?.compiled.dispose();
        // Results are measured without random transforms, by either attack.
        const { transform: _, ...attacked } = await attackedModel(context, size);
        const attack = square({ norm: norm as "l_inf", epsilon: epsilon!, queries, ...(loss !== undefined && { loss }) });
        current = { key, compiled: await compileAttack(engine, attack, attacked) };
      }
      const { compiled } = current;
      const batch = batchOf(context, prepared, unstack(await compiled.predict(batchImages(prepared)), 0));
      const { loss: reached, correct, clean, found } = await compiled.run(batch);
      trials.push({
        sample: record.sample,
        attack: gained(plan.goal.kind, record.loss!.clean, record.loss!.adversarial),
        blackBox: gained(plan.goal.kind, clean.loss[0]!, reached[0]!),
        won: correct[0] === (plan.goal.kind === "untargeted" ? 0 : 1),
        queries: found!.queries![0]!,
      });
    }
  } finally {
    current?.compiled.dispose();
  }
  return trials;
}

/**
 * An attack that knows the gradients and does no better than one that does not has no gradients worth the name (Athalye et al. 2018, section 3.1: "black-box
 * attacks are better than white-box attacks").
 */
export function beatsBlackBox(plan: AttackPlan, trials: readonly BlackBoxTrial[]): Check {
  const name = "Beats an attack without gradients";
  if (!comparable(plan))
    return notApplicable(name, `${plan.attack.definition.title} cannot be held against Square, which searches a ball by a loss.`);
  if (trials.length === 0) return notApplicable(name, "The attack left no sample unbroken.");
  const { kind, extent } = tasks[plan.spec.task];
  const byClass = kind === "classes" && extent === "image";
  const lost = trials.filter((t) => (byClass ? t.won : t.blackBox > Math.max(t.attack, 0)));
  const numbers = {
    samples: trials.length,
    "predictions for each, at most": queries,
    "samples on which Square does better": lost.length,
  };
  const small = `Square with ${queries} predictions and no gradient`;
  if (lost.length === 0)
    return {
      name,
      verdict: "passed",
      sentence: byClass
        ? `${small} broke none of ${trials.length} samples that the attack left unbroken.`
        : `${small} went less far than the attack on all ${trials.length} samples.`,
      numbers,
    };
  return {
    name,
    verdict: "warning",
    sentence: `${small} ${byClass ? `broke ${lost.length} of ${trials.length} samples that the attack left unbroken` : `went further than the attack on ${lost.length} of ${trials.length} samples`}, ${lost[0]!.sample} first: the gradients lead astray (a saturated loss, rounding, a random model), or the steps do not reach far enough. ${
      byClass
        ? "Try --loss dlr or --attack autoattack, and attack the logits (--meaning, --of)"
        : "Attack what lies before the activation or the rounding (--meaning, --of)"
    }; report the worse of this run and --attack square --queries 5000.`,
    numbers,
  };
}

import type { Engine } from "../../engine/runtime/engine.js";
import { type TaskName, tasks } from "../../vision/tasks/index.js";
import type { Attack } from "./attack.js";
import { type AttackOptions, apgd, apgdCospgd, cospgd, segpgd } from "./catalogue/index.js";
import { type AttackBatch, type AttackHooks, type AttackOutcome, type CompiledAttack, compileAttack } from "./compile-attack.js";
import { keepFurther } from "./outcome.js";
import { type AttackSite, lossOf, predictionGraph } from "./step-graph.js";

/**
 * The members of the worst-case ensemble of a task: different losses fail on different images, so the worst over several is a fairer
 * bound than any (the idea of SEA, Croce et al. 2023; the members here are ours, named in every report).
 */
export function ensembleMembers(task: TaskName, options: AttackOptions): Attack[] {
  const { kind, extent } = tasks[task];
  if (kind !== "classes") return [apgd(options), apgdCospgd({ alignment: "residual", ...options })];
  if (extent === "image") return [apgd({ ...options, loss: "cross-entropy" }), apgd({ ...options, loss: "dlr" })];
  // Without CosPGD the ensemble was beaten by it at every number of steps (docs/effectiveness.md).
  return [apgd(options), apgdCospgd(options), segpgd(options), cospgd(options)];
}

/** Those of several attacks whose losses exist for the model's number of classes: with two classes there is no third logit for DLR. */
export function membersFor(attacks: readonly Attack[], site: AttackSite): readonly Attack[] {
  if (attacks.length === 1) return attacks;
  const classes = predictionGraph(site).outputs.get("prediction")!.shape[1]!;
  return attacks.filter((attack) => (lossOf(attack, site.task).leastClasses ?? 0) <= classes);
}

/** Several attacks on one model; of each image the worst result is kept. */
export class CompiledEnsemble {
  private constructor(private readonly members: readonly CompiledAttack[]) {}

  static async compile(engine: Engine, attacks: readonly Attack[], site: AttackSite): Promise<CompiledEnsemble> {
    const members: CompiledAttack[] = [];
    for (const attack of membersFor(attacks, site)) members.push(await compileAttack(engine, attack, site));
    return new CompiledEnsemble(members);
  }

  /** Losses are the first member's: another loss (dlr) decides where its member searches, not how its result is measured. */
  async run(batch: AttackBatch, hooks: AttackHooks = {}): Promise<AttackOutcome> {
    const first = this.members[0]!;
    let worst: AttackOutcome | undefined;
    for (const member of this.members) {
      let outcome = await member.run(batch, hooks);
      if (worst && member.attack.loss !== first.attack.loss)
        outcome = { ...outcome, ...(await first.evaluate(batch, outcome.images)), steps: worst.steps };
      worst = worst ? keepFurther(worst, outcome, member.attack.goal, "correct") : outcome;
    }
    return worst!;
  }

  predict(images: AttackBatch["images"]) {
    return this.members[0]!.predict(images);
  }

  evaluate(batch: AttackBatch, images: AttackBatch["images"]) {
    return this.members[0]!.evaluate(batch, images);
  }

  dispose(): void {
    for (const member of this.members) member.dispose();
  }
}

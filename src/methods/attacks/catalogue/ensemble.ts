import { z } from "zod";
import {
  type Aim,
  type Attack,
  type AttackDefinition,
  attackOf,
  defineAttack,
  ownParameters,
  type Parameters,
} from "../definition.js";
import { AttackError } from "../error.js";
import {
  alignment,
  ball,
  grid,
  loss,
  parameter,
  randomStart,
  restarts,
  scheduleNotes,
  stepLength,
  steps,
} from "../parameters.js";
import { apgd } from "./apgd.js";
import { apgdCospgd } from "./apgd-cospgd.js";
import { cospgd } from "./cospgd.js";
import { segpgd } from "./segpgd.js";

/**
 * The worst of several attacks, image by image: different losses fail on different images, so the worst over several is a fairer bound than any (the
 * idea of SEA, Croce et al. 2023; the members here are ours, named in every report).
 */
export const ensemble = defineAttack({
  name: "ensemble",
  title: "The worst of several attacks",
  source: "after Croce et al. 2023, section 3; the members are ours",
  summary: "the worst of several attacks, image by image",
  parameters: z.strictObject({
    ...ball,
    ...steps,
    stepSize: stepLength.stepSize,
    // Without a default: it goes with some tasks only.
    schedule: parameter(stepLength.schedule.unwrap().optional(), { ...scheduleNotes, usual: "each member's own" }),
    ...restarts,
    ...randomStart,
    ...grid,
    ...loss,
    ...alignment,
  }),
  follows: "gradients",
  handles: ["perturb", "region", "transform", "tiles"],
  budget: ({ norm, epsilon, steps, restarts }) => ({ norm, epsilon, steps, restarts }),
  check: (parameters, aim) => void membersFor(parameters, aim),
  members: membersFor,
  compile: async (engine, parameters, model) => {
    const { worstOf } = await import("../ensemble/worst-of.js");
    return worstOf(engine, (aim) => membersFor(parameters, aim), model);
  },
});

/** A member: what it takes in place of the ensemble's parameters, and what it takes where they say nothing. */
interface Member {
  readonly definition: AttackDefinition;
  readonly fixed?: Parameters;
  readonly usual?: Parameters;
}

/** Where there is nothing to weigh, one Auto-PGD for each loss; else attacks of several weights. */
function candidates({ kind, extent, losses, alignments }: Aim["task"], classes: number): readonly Member[] {
  const usual = "residual" in alignments ? { alignment: "residual" } : {};
  if (kind !== "classes") return [{ definition: apgd }, { definition: apgdCospgd, usual }];
  if (extent === "image")
    return ["cross-entropy", "dlr"]
      .filter((loss) => (losses[loss]?.leastClasses ?? 0) <= classes)
      .map((loss) => ({ definition: apgd, fixed: { loss } }));
  // Without CosPGD the ensemble was beaten by it at every number of steps (docs/effectiveness.md).
  return [apgd, apgdCospgd, segpgd, cospgd].map((definition) => ({ definition }));
}

/** @throws AttackError for parameters that no member would use. */
function membersFor(parameters: Parameters, { task, classes = Number.POSITIVE_INFINITY }: Aim): readonly Attack[] {
  const list = candidates(task, classes);
  for (const name of Object.keys(parameters)) {
    if (list.some(({ definition, fixed }) => name in definition.parameters.shape && !(fixed && name in fixed))) continue;
    const own = list.every(({ fixed }) => fixed && name in fixed);
    throw new AttackError(
      `ensemble: in ${task.name} its members ${own ? `have a ${name} of their own` : `have no ${name}`}; leave it out.`,
    );
  }
  return list.map(({ definition, fixed, usual }) =>
    attackOf(definition, ownParameters(definition, { ...usual, ...parameters, ...fixed })),
  );
}

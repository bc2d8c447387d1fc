import { z } from "zod";
import { type Aim, type Attack, defineAttack } from "../definition.js";
import type { Turn } from "../ensemble/in-turn.js";
import { AttackError } from "../error.js";
import { quarterOf } from "../packed/quarter-of.js";
import { ball, count, grid, gridMisfits, parameter } from "../parameters.js";
import { apgdReleased } from "./apgd-released.js";
import { apgdT, demandOneClass } from "./apgd-t.js";
import { fab } from "./fab.js";
import { fabT } from "./fab-t.js";
import { square } from "./square.js";

interface Numbers {
  readonly norm: "l_inf" | "l_2" | "l_1";
  readonly epsilon: number;
  readonly version: "standard" | "plus" | "rand";
  readonly steps: number;
  readonly queries: number;
  readonly grid: "continuous" | "8-bit";
}

/** AutoAttack (Croce & Hein 2020): several attacks without a number to tune, each on the images that those before it did not break. */
export const autoattack = defineAttack({
  name: "autoattack",
  title: "AutoAttack",
  source: "Croce & Hein 2020, section 5; in l_1 Croce & Hein 2021, section 5; versions as in its authors' code",
  summary: "APGD-CE, APGD-T, FAB-T and Square one after the other, each on what is left: the number that papers cite",
  parameters: z.strictObject({
    ...ball,
    version: parameter(z.enum(["standard", "plus", "rand"]).default("standard"), {
      description:
        "which attacks: standard = the published four; plus = APGD-DLR and FAB beside them, with 5 restarts; rand = APGD-CE and APGD-DLR over 20 predictions each, for random models",
    }),
    steps: parameter(count.default(100), { description: "number of steps" }),
    queries: parameter(count.default(5000), { description: "predictions that it may ask for, for each image" }),
    ...grid,
  }),
  follows: "gradients",
  until: "won",
  handles: ["perturb", "region", "transform"],
  partOf: quarterOf,
  budget: ({ norm, epsilon, steps }) => ({ norm, epsilon, steps }),
  check: (parameters, aim) => {
    demandOneClass("autoattack", aim);
    for (const wrong of gridMisfits(parameters)) throw new AttackError(`autoattack: ${wrong}.`);
  },
  members: (parameters): readonly Attack[] => turnsOf(parameters).map(({ attack }) => attack as Attack),
  compile: async (engine, parameters, model) => {
    const aim: Aim = { task: model.task, goal: model.goal ?? "untargeted" };
    demandOneClass("autoattack", aim);
    const { inTurn, repeatedPredictions } = await import("../ensemble/in-turn.js");
    const random = parameters.version === "rand" && !model.transform;
    return inTurn(engine, turnsOf(parameters), random ? { ...model, transform: repeatedPredictions(20) } : model);
  },
});

function turnsOf({ norm, epsilon, version, steps, queries, grid }: Numbers): readonly Turn[] {
  const common = { norm, epsilon, steps, grid };
  // In l_1 the standard version searches in larger balls first, and towards fewer classes (Croce & Hein 2021).
  const sparse = norm === "l_1" && version === "standard";
  const radii = sparse ? "shrinking" : "constant";
  const randomStart = norm === "l_1" ? "projected" : "published";
  const ascent = (loss: string, repeats: number): Turn => ({
    name: loss === "dlr" ? "apgd-dlr" : "apgd-ce",
    attack: apgdReleased({ ...common, loss, radii, randomStart }),
    repeats,
  });
  if (version === "rand") return [ascent("cross-entropy", 1), ascent("dlr", 1)];
  const towards: Turn = { name: "apgd-t", attack: apgdT({ ...common, radii, targets: sparse ? 5 : 9 }) };
  const last: Turn = { name: "square", attack: square({ norm, epsilon, queries, grid, halvings: "fixed", windows: "released" }) };
  const borders: Turn = { name: "fab-t", attack: fabT({ ...common, targets: 9 }) };
  if (version === "standard") return [ascent("cross-entropy", sparse ? 5 : 1), towards, borders, last];
  const nearest: Turn = { name: "fab", attack: fab({ ...common, restarts: 5 }) };
  return [ascent("cross-entropy", 5), ascent("dlr", 5), nearest, last, towards, borders];
}

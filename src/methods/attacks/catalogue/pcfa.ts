import { z } from "zod";
import { defineAttack } from "../definition.js";
import { AttackError } from "../error.js";
import { count, loss, parameter } from "../parameters.js";

/** Perturbation-constrained flow attack: L-BFGS towards a target, with a penalty where the perturbation is larger than its bound. */
export const pcfa = defineAttack({
  name: "pcfa",
  title: "PCFA",
  source: "Schmalfuss, Scholze & Bruhn 2022, section 3",
  summary: "towards a target of motion, distances or intensities by L-BFGS, the perturbation's mean square within a bound",
  parameters: z.strictObject({
    bound: parameter(z.number().positive().default(0.005), {
      description: "bound of the perturbation: its l_2 norm over the root of its number of values, over all images of a sample",
      placeholder: "size",
    }),
    steps: parameter(count.default(20), { description: "number of steps" }),
    mu: parameter(z.number().positive().optional(), {
      description: "what a perturbation beyond the bound costs",
      placeholder: "weight",
      usual: "2500 / bound, published for the target zero; the paper takes 1.5 times that for others",
    }),
    box: parameter(z.enum(["change-of-variables", "clipping"]).default("change-of-variables"), {
      description: "how images stay in [0, 1]",
    }),
    frames: parameter(z.enum(["disjoint", "joint"]).default("disjoint"), {
      description: "a perturbation for each image of a pair, or one for both (with clipping)",
    }),
    lineSearch: parameter(z.enum(["none", "strong-wolfe"]).default("none"), {
      description: "whether L-BFGS searches along its direction: none (published), strong-wolfe",
    }),
    history: parameter(count.default(100), {
      description: "pairs that L-BFGS remembers, of 8 bytes for each value of the images",
    }),
    ...loss,
  }),
  follows: "gradients",
  handles: ["perturb", "transform", "tiles"],
  budget: ({ steps }) => ({ norm: "l_2", steps }),
  check: ({ box, frames }, { task, goal }) => {
    if (task.kind !== "values" && task.kind !== "picture")
      throw new AttackError(`pcfa drives numbers towards a target, and ${task.name} has none; take another attack.`);
    if (goal !== "targeted") throw new AttackError("pcfa drives towards a target; name one with --target (zero, negative, ...).");
    if (frames === "joint" && box !== "clipping")
      throw new AttackError("pcfa: one perturbation for both images goes with clipping alone (--box clipping), as published.");
  },
  compile: async (engine, { mu, ...options }, model) => {
    const { compilePcfa } = await import("../pcfa/pcfa.js");
    return compilePcfa(engine, { ...options, mu: mu ?? 2500 / options.bound }, model);
  },
});

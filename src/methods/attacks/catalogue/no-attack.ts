import { z } from "zod";
import { defineAttack } from "../definition.js";

/** The images as they are: for numbers without an attack, as those under corruptions. */
export const noAttack = defineAttack({
  name: "no-attack",
  title: "No attack",
  source: "baseline",
  summary: "no attack: the images as they are (with --corruption, corrupted)",
  parameters: z.strictObject({}),
  follows: "nothing",
  handles: ["perturb", "region", "transform", "tiles"],
  budget: () => ({ norm: "l_inf", epsilon: 0 }),
  compile: async (engine, _, model) => {
    const { compileEvaluation } = await import("../evaluation.js");
    const evaluation = await compileEvaluation(engine, model);
    return {
      ...evaluation,
      run: async (batch) => {
        const clean = await evaluation.evaluate(batch, batch.images);
        return { ...clean, clean, images: batch.images, steps: [] };
      },
    };
  },
});

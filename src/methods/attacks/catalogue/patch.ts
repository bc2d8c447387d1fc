import { z } from "zod";
import { defineAttack } from "../definition.js";
import { AttackError } from "../error.js";
import { courseOf } from "../fitted/course.js";
import { count, learning, parameter } from "../parameters.js";

/** A patch that makes predictions go wrong wherever it is seen, learned on a part of the data set. */
export const patch = defineAttack({
  name: "patch",
  title: "Adversarial patch",
  source: "Brown et al. 2017; total variation and printability after Sharif et al. 2016",
  summary: "a patch to print, placed, scaled and turned at random: learned on a part of the data set, measured on the rest",
  parameters: z.strictObject({
    patchSize: parameter(count.optional(), {
      description: "length of the patch's sides, in pixels",
      placeholder: "pixels",
      usual: "a quarter of the pictures' shorter side",
    }),
    placement: parameter(
      z
        .string()
        .regex(/^(random|center|\d+x\d+)$/)
        .meta({ allowed: "random, center, or the place of its center as 120x80 (pixels from the left and from above)" })
        .default("random"),
      {
        description: "where the patch is: random, center, or its center as 120x80 (from the left, from above)",
        placeholder: "where",
      },
    ),
    scaling: parameter(z.number().min(0).lt(1).default(0.2), {
      description: "the patch is seen at 1 - scaling to 1 + scaling times its size",
      placeholder: "share",
    }),
    rotation: parameter(z.number().min(0).max(180).default(20), {
      description: "the patch is turned by up to so many degrees",
      placeholder: "degrees",
    }),
    steps: parameter(z.number().int().min(0).meta({ allowed: "a whole number of at least 0" }).default(300), {
      description: "number of steps; 0: the patch is noise, which a learned one must beat",
    }),
    stepSize: parameter(z.number().positive().default(0.05), {
      description: "length of a step",
      placeholder: "length",
      unit: "intensity",
    }),
    ...learning,
    tvWeight: parameter(z.number().min(0).default(0), {
      description: "weight of the patch's total variation against the loss",
      placeholder: "weight",
    }),
    printWeight: parameter(z.number().min(0).default(0), {
      description: "weight of its colors' distance to printable ones against the loss",
      placeholder: "weight",
    }),
    printSize: parameter(count.optional(), {
      description: "length of the sides of patch.png, for printing",
      placeholder: "pixels",
      usual: "the patch's own",
    }),
  }),
  follows: "gradients",
  handles: ["perturb", "region", "transform", "tiles"],
  // No ball: where it is seen, everything may change.
  budget: () => ({ norm: "l_inf" }),
  check: async ({ loss }, { task }) => {
    const { lossOf } = await import("../evaluation-graph.js");
    lossOf({ ...(loss !== undefined && { loss }) }, task);
  },
  fit: {
    what: "patch",
    steps: ({ steps }) => steps,
    learn: async (engine, parameters, model, lessons, hooks) => {
      const [{ learn }, { patch }] = await parts();
      return learn(engine, patch(model, parameters), model, lessons, courseOf(parameters, model.task), hooks);
    },
    show: async ({ printSize }, fitted) => (await parts())[1].showPatch(fitted, printSize),
  },
  compile: async (engine, parameters, model, fitted) => {
    const [{ compileWearing }, { patch, sideOf }] = await parts();
    const own = sideOf(fitted!);
    const { patchSize = own } = parameters;
    if (patchSize !== own)
      throw new AttackError(
        `The patch that was learned is ${own}x${own} pixels, not ${patchSize}x${patchSize}; leave out --patch-size.`,
      );
    return compileWearing(engine, patch(model, { ...parameters, patchSize }), model, fitted!, parameters.loss);
  },
});

const parts = () => Promise.all([import("../fitted/wear.js"), import("../fitted/patch.js")] as const);

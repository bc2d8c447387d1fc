import { z } from "zod";
import type { PixelFunction } from "../../vision/tasks/index.js";
import { stepSchedules } from "./ascent/step-schedule.js";
import type { NormName } from "./lengths.js";

// Parameters that several attacks share. Order matters nowhere but in plans and help.

/** What is said of a parameter beside its type: the command line's help and the docs show it. Kept as metadata of the schema. */
export interface ParameterNotes {
  /** What it is, in a phrase. */
  readonly description: string;
  /** Of a length of intensities, images being in [0, 1]: it is shown in 255ths. */
  readonly unit?: "intensity";
  /** What stands for a value in help: `--epsilon <radius>`; default by its type. */
  readonly placeholder?: string;
  /** The default in words, where it follows from other parameters. */
  readonly usual?: string;
  /** The default within a training step, where it is another; or that training decides it. */
  readonly training?: { readonly default: unknown } | "decided there";
}

/** A parameter of an attack: its schema (with its default) and what is said of it. */
export const parameter = <S extends z.ZodType>(schema: S, notes: ParameterNotes): S => schema.meta({ ...notes });

/** How many: 1 at least. */
export const count = z.number().int().min(1).meta({ allowed: "a whole number of at least 1" });

export const ball = {
  norm: parameter(z.enum(["l_inf", "l_2", "l_1"]).default("l_inf"), {
    description: "norm of the ball, or of the perturbation that is made small",
  }),
  epsilon: parameter(
    z
      .number()
      .positive()
      .meta({ allowed: "a radius above 0, such as 8/255" })
      .default(8 / 255),
    {
      description:
        "radius of the ball, images being in [0, 1]; where the smallest perturbation is looked for: beyond which an image counts as not broken",
      placeholder: "radius",
      unit: "intensity",
    },
  ),
};

/** The norm that is made small, of those that an attack knows; the first is the usual one. */
export const smallestIn = <const N extends readonly [NormName, ...NormName[]]>(...among: N) => ({
  norm: parameter(z.enum(among).default(among[0] as never), { description: "norm of the perturbation that is made small" }),
});

export const grid = {
  grid: parameter(z.enum(["continuous", "8-bit"]).default("continuous"), {
    description: "keep iterates on the grid of 8-bit images, so that saving changes nothing",
  }),
};

/** Of attacks that look for the smallest perturbation. */
export const reach = {
  epsilon: parameter(z.number().positive().meta({ allowed: "a radius above 0, such as 8/255" }).optional(), {
    description: "radius beyond which an image counts as not broken",
    placeholder: "radius",
    unit: "intensity",
    usual: "none",
  }),
  ...grid,
};

export const successShare = {
  successShare: parameter(z.number().gt(0).max(1).meta({ allowed: "a share above 0, 1 at most" }).optional(), {
    description:
      "where every pixel has a class: share of an image's correct pixels that must be lost (towards a target: that show it) for it to count as broken",
    placeholder: "share",
    usual: "0.99",
  }),
};

/** Of FAB, in either form. */
export const boundary = {
  steps: parameter(count.default(100), { description: "number of steps" }),
  restarts: parameter(count.default(1), {
    description: "searches of which the nearest counts; all but the first from random starts",
  }),
  alphaMax: parameter(z.number().gt(0).max(1).default(0.1), {
    description: "largest share by which a step is drawn to the clean image",
  }),
  overshoot: parameter(z.number().min(1).default(1.05), { description: "factor by which a step goes beyond the border" }),
  backward: parameter(z.number().gt(0).lt(1).default(0.9), {
    description: "share of the way from the clean image that is kept when beyond the border",
  }),
};

export const steps = {
  steps: parameter(count.default(20), { description: "number of steps", training: { default: 3 } }),
};

export const scheduleNotes: ParameterNotes = { description: "how the step length changes over the steps" };

export const stepLength = {
  stepSize: parameter(z.number().positive().optional(), {
    description: "length of a step",
    placeholder: "length",
    unit: "intensity",
    usual: "0.01 in l_inf, 0.32 epsilon below 8/255; a fifth of epsilon in l_2 and l_1",
  }),
  schedule: parameter(z.enum(Object.keys(stepSchedules) as (keyof typeof stepSchedules)[]).default("constant"), scheduleNotes),
};

export const restarts = {
  restarts: parameter(count.default(1), { description: "random starts of which the best counts" }),
};

const starts =
  "published = in l_inf anywhere in the ball, in l_2 and l_1 on its surface; ball = anywhere in it, as Foolbox has it; projected = at Gaussian noise brought into it, as AutoAttack has it in l_1; none = at the clean image";

export const randomStart = {
  randomStart: parameter(z.enum(["published", "ball", "projected", "none"]).default("published"), {
    description: `where starts lie: ${starts}`,
  }),
};

export const optionalRandomStart = {
  randomStart: parameter(z.enum(["published", "ball", "projected", "none"]).default("none"), {
    description: `where starts lie: ${starts}`,
  }),
};

/** What is wrong with a radius that the grid leaves no room. */
export const gridMisfits = ({
  grid,
  epsilon,
}: {
  readonly grid?: string | undefined;
  readonly epsilon?: number | undefined;
}): string[] =>
  grid === "8-bit" && epsilon !== undefined && epsilon < (1 - 1e-6) / 255
    ? [
        `epsilon ${epsilon} is less than one level of an 8-bit image (1/255), so on the 8-bit grid nothing can move; take 1/255 or more, or the continuous grid`,
      ]
    : [];

export const loss = {
  loss: parameter(
    z
      .union([z.string(), z.custom<PixelFunction>((value) => typeof value === "function")])
      .meta({ allowed: "the name of a loss of the task, or a function" })
      .optional(),
    { description: "loss to raise", placeholder: "name", usual: "the task's usual one", training: "decided there" },
  ),
};

export const tracked = {
  tracked: parameter(loss.loss, {
    description: "loss by which Auto-PGD compares iterates and results are measured, where it is not the one that is raised",
    placeholder: "name",
    usual: "that of --loss",
    training: "decided there",
  }),
};

export const radii = {
  radii: parameter(z.enum(["constant", "shrinking"]).default("constant"), {
    description:
      "search in larger balls first: constant = no; shrinking = 2, 1.5 and 1 epsilon (in l_1 3, 2 and 1) for 30, 30 and 40 % of the steps",
  }),
};

/** Of attacks that learn one thing for all images. */
export const learning = {
  schedule: parameter(stepLength.schedule.unwrap().default("linear"), scheduleNotes),
  ...loss,
  clipLoss: parameter(z.number().positive().optional(), {
    description: "each pixel's loss counts up to here while learning, so that what is lost already does not pull most",
    placeholder: "loss",
    usual: "9 for classes (as published), none else",
  }),
};

export const alignment = {
  alignment: parameter(z.string().optional(), {
    description: "CosPGD's alignment: softmax (published), sigmoid, residual, columns",
    placeholder: "name",
    usual: "the task's published one",
  }),
};

import { z } from "zod";
import { ball, count, grid, loss, optionalRandomStart, parameter, restarts, stepLength, steps } from "../parameters.js";

// The parameters of what makes adversarial images work on other models than the attacked one (transfer). Without a default they are off, and a plan holds
// only what was asked for.

const share = z.number().min(0).max(1);
const off = { usual: "off" } as const;
const side = z
  .number()
  .int()
  .min(1)
  .refine((n) => n % 2 === 1)
  .meta({ allowed: "an odd whole number, such as 15" });

const inputDiversity = {
  description: "DI: probability with which the gradient is that of the image shrunk and padded at random",
  placeholder: "probability",
} as const;
const translation = {
  description: "TI: side of the kernel that the gradient is smoothed by, in pixels",
  placeholder: "side",
} as const;
const scales = { description: "SI: the gradient is a mean over the copies x, x/2, x/4, ..., so many" } as const;
const variance = { description: "VMI: points around the iterate whose mean gradient tunes the next one" } as const;

/** What any projected ascent may have: how images are looked at, and what is made of their gradients. */
export const transfer = {
  inputDiversity: parameter(share.optional(), { ...inputDiversity, ...off }),
  resizeRate: parameter(z.number().gt(0).lt(1).optional(), {
    description: "DI: least share of its size that the image is shrunk to",
    placeholder: "share",
    usual: "0.9",
  }),
  translation: parameter(side.optional(), { ...translation, ...off }),
  kernel: parameter(z.enum(["gaussian", "linear", "uniform"]).optional(), {
    description: "TI: form of the kernel",
    usual: "gaussian",
  }),
  scales: parameter(count.optional(), { ...scales, ...off }),
  variance: parameter(count.optional(), { ...variance, ...off }),
  neighborhood: parameter(z.number().positive().optional(), {
    description: "VMI: how far around, in multiples of epsilon",
    placeholder: "beta",
    usual: "1.5",
  }),
};

const decayNotes = { description: "share of the momentum that is kept from step to step", placeholder: "mu" } as const;
const nesterovNotes = {
  description:
    "NI: take the gradient where the momentum leads; off; released = momentum of g / mean |g|, as code has it; published = of g / ‖g‖₁, which hardly looks ahead",
} as const;
const nesterov = z.enum(["off", "released", "published"]);

/** Of attacks with momentum. */
const momentum = {
  decay: parameter(z.number().min(0).optional(), { ...decayNotes, usual: "1" }),
  nesterov: parameter(nesterov.optional(), { ...nesterovNotes, ...off }),
};

/** All that an ascent along accumulated gradients takes: mi-fgsm and its kin, which differ in what is usual. */
export const momentumAscent = {
  ...ball,
  ...steps,
  ...stepLength,
  ...restarts,
  ...optionalRandomStart,
  ...grid,
  ...loss,
  ...momentum,
  ...transfer,
};

/** The same with other usual values, for attacks that are known by a name of their own. */
export const usually = {
  inputDiversity: (value: number) => ({ inputDiversity: parameter(share.default(value), inputDiversity) }),
  translation: (value: number) => ({ translation: parameter(side.default(value), translation) }),
  scales: (value: number) => ({ scales: parameter(count.default(value), scales) }),
  variance: (value: number) => ({ variance: parameter(count.default(value), variance) }),
  decay: (value: number) => ({ decay: parameter(z.number().min(0).default(value), decayNotes) }),
  nesterov: (value: z.output<typeof nesterov>) => ({ nesterov: parameter(nesterov.default(value), nesterovNotes) }),
};

/** What would say nothing, since what it belongs to is off. */
export function transferMisfits(parameters: object): string[] {
  const said = parameters as Readonly<Record<string, unknown>>;
  const idle = (name: string, of: string) =>
    said[name] !== undefined && said[of] === undefined ? [`${name} says nothing without ${of}; give both or neither`] : [];
  return [
    ...idle("resizeRate", "inputDiversity"),
    ...idle("kernel", "translation"),
    ...idle("neighborhood", "variance"),
    ...(said.decay === 0 && said.nesterov !== undefined && said.nesterov !== "off"
      ? ["nesterov looks ahead along the momentum, and with a decay of 0 none is kept; leave one of them out"]
      : []),
  ];
}

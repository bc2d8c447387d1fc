import { z } from "zod";
import { defineAttack } from "../definition.js";
import { courseOf } from "../fitted/course.js";
import { ball, count, learning, parameter, stepLength } from "../parameters.js";

/** One perturbation for all images of a data set, learned on a part of it. */
export const universal = defineAttack({
  name: "universal",
  title: "Universal perturbation",
  source: "Moosavi-Dezfooli et al. 2017 by the algorithm of Shafahi et al. 2020 (algorithm 2)",
  summary: "one perturbation for all images: learned on a part of the data set, measured on the rest",
  parameters: z.strictObject({
    norm: parameter(z.enum(["l_inf", "l_2"]).default("l_inf"), { description: "norm of the ball" }),
    epsilon: ball.epsilon,
    steps: parameter(count.default(200), { description: "number of steps" }),
    stepSize: parameter(stepLength.stepSize, {
      description: "length of a step",
      placeholder: "length",
      unit: "intensity",
      usual: "a fifth of epsilon",
    }),
    ...learning,
  }),
  follows: "gradients",
  handles: ["perturb", "region", "transform", "tiles"],
  budget: ({ norm, epsilon }) => ({ norm, epsilon }),
  check: async (parameters, { task }) => {
    const { lossOf } = await import("../evaluation-graph.js");
    lossOf({ ...(parameters.loss !== undefined && { loss: parameters.loss }) }, task);
  },
  fit: {
    what: "perturbation",
    steps: ({ steps }) => steps,
    learn: async (engine, parameters, model, lessons, hooks) => {
      const [{ learn }, { perturbation }, { norms }] = await parts();
      const { norm, epsilon, stepSize = epsilon / 5 } = parameters;
      const course = courseOf({ ...parameters, stepSize }, model.task);
      return learn(engine, perturbation(model, norms[norm], epsilon), model, lessons, course, hooks);
    },
    show: async (_, fitted) => (await parts())[1].showPerturbation(fitted),
  },
  compile: async (engine, { norm, epsilon, loss }, model, fitted) => {
    const [{ compileWearing }, { perturbation }, { norms }] = await parts();
    return compileWearing(engine, perturbation(model, norms[norm], epsilon), model, fitted!, loss);
  },
});

const parts = () =>
  Promise.all([import("../fitted/wear.js"), import("../fitted/perturbation.js"), import("../norms/index.js")] as const);

import { reverseSweep } from "../../engine/autodiff/gradients.js";
import { NotDifferentiableError, ZeroGradientError } from "../../engine/autodiff/obstacles.js";
import { lower } from "../../engine/compile/lower.js";
import { Graph } from "../../engine/graph/graph.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { oddityOf } from "../../engine/summary/probe.js";
import { stack } from "../../engine/tensor/arrays.js";
import { Random } from "../../engine/tensor/random.js";
import { sizeOf, tensor } from "../../engine/tensor/tensor.js";
import type { Prepared } from "../attack/prepare.js";
import { predictorFor, type View } from "./feeding.js";
import { type Finding, good, percent, wrong } from "./finding.js";

/** Whether a gradient of the prediction reaches the images of a sample: where it is 0 or not a number, no attack can find anything. */
export async function gradientReaches(engine: Engine, view: View, sample: Prepared): Promise<Finding> {
  const subject = "gradient";
  const predictor = await predictorFor(view, sample);
  const graph = new Graph();
  const images = Object.entries(predictor.images).map(([role, shape]) => [role, graph.input(role, "float32", shape)] as const);
  const prediction = predictor.predict(graph, Object.fromEntries(images));
  const cotangent = graph.input("cotangent", prediction.type, prediction.shape);
  try {
    const { cotangents, ends } = reverseSweep(
      [{ of: prediction, cotangent }],
      images.map(([, v]) => v),
    );
    if (cotangents.every((g) => g === undefined))
      throw new ZeroGradientError(
        ["prediction"],
        images.map(([role]) => role),
        ends,
      );
    images.forEach(([role], i) => {
      if (cotangents[i]) graph.output(`d.${role}`, cotangents[i]);
    });
  } catch (error) {
    if (error instanceof NotDifferentiableError || error instanceof ZeroGradientError)
      return wrong(subject, `No attack can follow this model. ${error.message}`);
    throw error;
  }
  const random = new Random(0, "doctor/cotangent");
  const program = await engine.compile(lower(graph, engine.info.provider));
  try {
    const results = await program.run({
      ...Object.fromEntries(Object.entries(sample.images).map(([role, image]) => [role, stack([image])])),
      cotangent: tensor(
        cotangent.type,
        cotangent.shape,
        Array.from({ length: sizeOf(cotangent.shape) }, () => random.normal()),
      ),
    });
    for (const [name, t] of Object.entries(results)) {
      const odd = oddityOf(name, t);
      if (odd?.kind === "zero")
        return wrong(
          subject,
          `On the first sample ${name} is 0 in every element: the model is saturated, or cuts its gradient off.`,
        );
      if (odd)
        return wrong(
          subject,
          `On the first sample ${percent(odd.found / odd.elements)} of ${name} is NaN or infinite: something divides by zero or overflows.`,
        );
    }
    return good(subject, "A gradient of the prediction reaches the images.");
  } finally {
    program.dispose();
  }
}

import { add, clip, mul, scalar } from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import type { Norm } from "../ascent/ascent.js";
import { type AttackedModel, imagesOf, perturbedRoles } from "../attacked-model.js";
import type { Fitted, Shown } from "./fitted.js";
import { filled, type Wear } from "./wear.js";

/** One perturbation δ for all images, one for each role: clip(image + δ, 0, 1), δ in the ball. */
export function perturbation(model: AttackedModel, norm: Norm, epsilon: number): Wear {
  const images = imagesOf(model);
  return {
    learned: Object.fromEntries(perturbedRoles(model).map((role) => [role, [1, ...images[role]!.slice(1)]])),
    first: (_, shape) => filled(shape, 0),
    apply: ({ clean, learned, region }) => ({
      images: Object.fromEntries(
        Object.entries(clean).map(([role, image]) => {
          const delta = region ? mul(learned[role]!, region) : learned[role]!;
          return [role, clip(add(image, delta), 0, 1)];
        }),
      ),
    }),
    step: (_, { value, gradient, stepSize }) => {
      const radius = scalar(value.graph, epsilon, "float32");
      return norm.project(add(value, mul(norm.direction(gradient, value), stepSize)), radius, mul(value, 0));
    },
  };
}

/** Around gray, so that the largest entry is black or white. */
export function showPerturbation(fitted: Fitted): Readonly<Record<string, Shown>> {
  return Object.fromEntries(
    Object.entries(fitted).map(([role, { shape, data }]) => {
      const most = data.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-12);
      const picture = tensor(
        "float32",
        shape.slice(-3),
        data.map((v) => 0.5 + v / (2 * most)),
      );
      return [role, { picture, note: `amplified ${(0.5 / most).toPrecision(2)} times around gray` }];
    }),
  );
}

import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import {
  disparityRange,
  flowRadius,
  type Guess,
  hex,
  renderDisparity,
  renderFlow,
  renderRestoration,
  renderSegmentation,
  segmentationLegend,
  topClasses,
  viridis,
} from "../../vision/render/index.js";
import type { AttackPlan } from "../attack/plan.js";
import { argmax } from "../attack/tensors.js";

/** One figure: a picture, or in classification a list of guesses. */
export interface Panel {
  /** Part of the file name. */
  readonly name: string;
  readonly title: string;
  readonly note?: string;
  readonly image?: Tensor<"float32">;
  readonly guesses?: readonly (Guess & { readonly name: string; readonly kind: "true" | "wanted" | "other" })[];
}

/** What the colors of a sample's figures mean. */
export type Legend =
  | {
      readonly kind: "classes";
      readonly entries: readonly { readonly name: string; readonly color: string | undefined; readonly share: number }[];
    }
  | { readonly kind: "wheel"; readonly pixels: number }
  | { readonly kind: "scale"; readonly low: number; readonly high: number; readonly colors: readonly string[] };

export interface Scene {
  readonly plan: AttackPlan;
  /** Clean image [3, H, W]. */
  readonly image: Tensor<"float32">;
  /** Canonical predictions of one sample, without batch axis. */
  readonly before: Tensor;
  readonly after: Tensor;
  readonly truth: Tensor | undefined;
  readonly valid: Tensor | undefined;
  readonly target: Tensor | undefined;
  readonly className: (label: number) => string;
}

/** A sample's predictions as figures, before and after, with the truth where it is known. */
export function panels(scene: Scene): { readonly panels: readonly Panel[]; readonly legend: Legend | undefined } {
  switch (scene.plan.spec.task) {
    case "classification":
      return classification(scene);
    case "segmentation":
      return segmentation(scene);
    case "flow":
      return continuous(scene, (maps) => {
        const pixels = flowRadius(maps);
        return { legend: { kind: "wheel", pixels }, render: (t) => renderFlow(t, pixels) };
      });
    case "disparity":
      return continuous(scene, (maps) => {
        const { low, high } = disparityRange(maps);
        const colors = Array.from({ length: 9 }, (_, i) => hex(viridis(i / 8)));
        return { legend: { kind: "scale", low, high, colors }, render: (t) => renderDisparity(t, { low, high }) };
      });
    case "restoration":
      return continuous(scene, () => ({ legend: undefined, render: renderRestoration }));
  }
}

function classification({ before, after, truth, target, className }: Scene) {
  const kind = (label: number) =>
    truth && Number(truth.data[0]) === label ? "true" : target && Number(target.data[0]) === label ? "wanted" : "other";
  const guesses = (z: Tensor) => topClasses(z, 5).map((g) => ({ ...g, name: className(g.label), kind: kind(g.label) as "true" }));
  return {
    legend: undefined,
    panels: [
      { name: "before", title: "Prediction, clean", guesses: guesses(before) },
      { name: "after", title: "Prediction, adversarial", guesses: guesses(after) },
      ...(truth ? [{ name: "truth", title: "Ground truth", note: className(Number(truth.data[0])) }] : []),
    ],
  };
}

function segmentation({ image, before, after, truth, className }: Scene) {
  const classes = before.shape[0]!;
  const pixels = before.shape.slice(1);
  const maps = [before, after].map((z) => tensor("int32", pixels, argmax(z)));
  const entries = segmentationLegend(truth ? [...maps, truth] : maps, classes).slice(0, 14);
  const render = (labels: Tensor) => renderSegmentation(labels, image, classes);
  return {
    legend: {
      kind: "classes" as const,
      entries: entries.map(({ label, color, share }) => ({ name: className(label), color: color && hex(color), share })),
    },
    panels: [
      { name: "before", title: "Prediction, clean", image: render(maps[0]!) },
      { name: "after", title: "Prediction, adversarial", image: render(maps[1]!) },
      ...(truth ? [{ name: "truth", title: "Ground truth", image: render(truth) }] : []),
    ],
  };
}

type Look = { readonly legend: Legend | undefined; readonly render: (t: Tensor) => Tensor<"float32"> };

function continuous({ before, after, truth, valid }: Scene, look: (maps: readonly Tensor[]) => Look) {
  const known = truth && valid ? masked(truth, valid) : truth;
  // One scale for all of a sample's maps, taken from the truth or the clean prediction: what the attack does then shows.
  const { legend, render } = look([known ?? before]);
  return {
    legend,
    panels: [
      { name: "before", title: "Prediction, clean", image: render(before) },
      { name: "after", title: "Prediction, adversarial", image: render(after) },
      ...(known ? [{ name: "truth", title: "Ground truth", image: render(known) }] : []),
    ],
  };
}

/** What is unknown becomes NaN, which no renderer takes for a value. */
function masked(t: Tensor, valid: Tensor): Tensor {
  const area = valid.data.length;
  return tensor(
    "float32",
    t.shape,
    Float32Array.from(t.data as Float32Array, (v, i) => (valid.data[i % area] ? v : Number.NaN)),
  );
}

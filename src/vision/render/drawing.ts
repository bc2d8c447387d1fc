import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import type { OutputSpec } from "../tasks/task.js";
import type { Guess } from "./classification.js";
import { hex, viridis } from "./color.js";
import type { Range } from "./disparity.js";

/** One figure: a picture, or for classes of whole images a list of guesses. */
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
      readonly entries: readonly {
        readonly label: number;
        readonly name: string;
        readonly color: string | undefined;
        readonly share: number;
      }[];
    }
  | { readonly kind: "wheel"; readonly pixels: number }
  | {
      readonly kind: "scale";
      readonly low: number;
      readonly high: number;
      readonly colors: readonly string[];
      /** What the numbers are: "pixels of disparity". */
      readonly of: string;
    };

export interface Drawing {
  readonly panels: readonly Panel[];
  readonly legend: Legend | undefined;
}

/** What is drawn of one sample. Predictions are canonical, without batch axis. */
export interface Scene {
  /** Clean image [3, H, W]. */
  readonly image: Tensor<"float32">;
  readonly before: Tensor;
  readonly after: Tensor;
  readonly truth: Tensor | undefined;
  readonly valid: Tensor | undefined;
  readonly target: Tensor | undefined;
  /** What the specification says of the output. */
  readonly output: OutputSpec;
  readonly className: (label: number) => string;
}

/** The legend of numbers drawn in `viridis`. @param of what they are: "pixels of disparity". */
export const scaleLegend = ({ low, high }: Range, of: string): Legend => ({
  kind: "scale",
  low,
  high,
  colors: Array.from({ length: 9 }, (_, i) => hex(viridis(i / 8))),
  of,
});

type Look = { readonly legend: Legend | undefined; readonly render: (t: Tensor) => Tensor<"float32"> };

/**
 * Figures of maps, all on one scale.
 *
 * @param look the scale and its colors for the truth, or the clean prediction where there is none: what the attack does then shows.
 */
export function drawMaps({ before, after, truth, valid }: Scene, look: (maps: readonly Tensor[]) => Look): Drawing {
  const known = truth && valid ? masked(truth, valid) : truth;
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

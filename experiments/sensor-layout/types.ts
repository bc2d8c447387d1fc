import type { LayoutName } from "../../src/methods/sensor/layouts/index.js";
import type { Integration } from "../../src/methods/sensor/sensor.js";

export interface Variant {
  readonly name: string;
  readonly layout: LayoutName;
  readonly integration?: Integration;
}

interface Subject {
  readonly training: number;
  readonly test: number;
  /** Height and width of the sensors. */
  readonly sensors: readonly (readonly [number, number])[];
  readonly variants: readonly Variant[];
  readonly seeds: readonly number[];
  readonly batch: number;
  readonly steps: number;
  readonly learningRate: number;
  readonly sensorLearningRate: number;
  readonly evaluations: number;
}

export interface Config {
  readonly mnist: Subject & { readonly decay: { readonly every: number; readonly factor: number } };
  readonly streets: Subject & { readonly scene: readonly [number, number]; readonly width: number };
}

export type SubjectName = keyof Config;

/** One training. */
export interface Row {
  readonly subject: SubjectName;
  readonly sensor: readonly [number, number];
  readonly variant: string;
  readonly seed: number;
  readonly seconds: number;
  /** On the test part as training went: accuracy or mIoU, share of images or pixels that are right, θ. */
  readonly course: readonly {
    readonly step: number;
    readonly score: number;
    readonly accuracy: number;
    readonly theta: readonly number[];
  }[];
  /** IoU of each class at the end, where there are classes of pixels. */
  readonly classes?: readonly number[];
}

export const last = (row: Row) => row.course.at(-1)!;

import { readFileSync } from "node:fs";
import type { NetworkConfiguration } from "../../src/vision/nn/networks/index.js";

/** `config.json` beside this file: everything the experiment's numbers depend on. */
export interface Config {
  readonly network: NetworkConfiguration;
  /** Height and width of the scenes. */
  readonly size: number;
  readonly training: {
    readonly seed: number;
    readonly samples: number;
    readonly batch: number;
    readonly weightDecay: number;
    /** One after the other, each with a learning rate that rises over 100 steps and falls along a cosine. */
    readonly stages: readonly Stage[];
  };
  /** The scenes that are attacked: another seed, so none was trained on. */
  readonly heldOut: { readonly seed: number; readonly samples: number; readonly batch: number };
  /** The text detector, whose own clean prediction is the target. */
  readonly detector: {
    readonly model: string;
    readonly spec: string;
    readonly images: readonly string[];
    /** The pictures are resized to this. */
    readonly height: number;
    readonly width: number;
  };
  /** Of noise, the draw with the highest loss counts. */
  readonly noiseDraws: number;
  readonly settings: Readonly<Record<SubjectName, readonly Setting[]>>;
}

export interface Stage {
  /** Side of the random windows that are trained on. */
  readonly crop: number;
  readonly steps: number;
  readonly learningRate: number;
}

export interface Setting {
  readonly norm: "l_inf" | "l_2";
  /** A fraction such as "8/255". */
  readonly epsilon: string;
  readonly stepSize: number;
  readonly steps: readonly number[];
  /** Of the random starts. */
  readonly seeds: readonly number[];
}

/** What is attacked. */
export type SubjectName = "segmenter" | "detector";

export const config = JSON.parse(readFileSync(new URL("config.json", import.meta.url), "utf8")) as Config;

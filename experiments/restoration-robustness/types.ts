import type { NetworkConfiguration } from "../../src/vision/nn/networks/index.js";
import type { Part } from "../shared/types.js";

/** config.json */
export interface Config {
  readonly networks: Readonly<Record<string, NetworkConfiguration>>;
  readonly data: {
    readonly size: number;
    readonly displacement: number;
    readonly subframes: number;
    readonly training: number;
    readonly test: number;
    readonly seed: number;
  };
  readonly training: Part["training"];
  readonly adversary: Part["adversary"];
  readonly attacks: {
    readonly names: readonly ("pgd" | "cospgd")[];
    readonly epsilon: string;
    readonly stepSize: number;
    readonly steps: readonly number[];
    readonly loss: string;
  };
  readonly seeds: readonly number[];
  /** Some of the networks once more, with the first seed alone. */
  readonly longer: { readonly networks: readonly string[]; readonly steps: number };
}

/** PSNR in dB, means over the test images. */
export interface Score {
  readonly psnr: number;
  readonly ssim: number;
}

/** An entry of results/rows.json: one trained network. */
export interface Row {
  readonly network: string;
  readonly training: "none" | "standard" | "FGSM";
  readonly seed: number;
  readonly steps: number;
  readonly seconds: number;
  /** By attack and number of steps, "pgd 20", and "clean". */
  readonly scores: Readonly<Record<string, Score>>;
}

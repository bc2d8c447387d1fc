import type { NetworkConfiguration } from "../../src/vision/nn/networks/index.js";

/** config.json of an experiment that trains networks and attacks them. */
export interface StudyConfig {
  readonly seeds: readonly number[];
  readonly parts: Readonly<Record<string, Part>>;
}

/** One task with its data and the networks that are compared on it. */
export interface Part {
  readonly task: "restoration" | "segmentation";
  readonly networks: Readonly<Record<string, NetworkConfiguration>>;
  readonly trainings: readonly Training[];
  readonly data: {
    readonly size: number;
    readonly training: number;
    readonly test: number;
    readonly seed: number;
    /** Segmentation: every kind of shape is a class, or all shapes together are one beside the backdrop. */
    readonly labels?: "kinds" | "figures";
    /** Deblurring alone. */
    readonly displacement?: number;
    readonly subframes?: number;
  };
  readonly training: {
    readonly steps: number;
    readonly batch: number;
    readonly crop: number;
    readonly loss: string;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly betas: readonly [number, number];
    readonly clipNorm: number;
  };
  readonly adversary: { readonly epsilon: string; readonly share: number };
  readonly attacks: {
    readonly names: readonly ("fgsm" | "pgd" | "segpgd" | "cospgd")[];
    readonly epsilon: string;
    readonly stepSize: number;
    readonly steps: readonly number[];
    readonly loss: string;
    /** Of whose result a spectrum is kept. */
    readonly spectrum: string;
  };
}

export type Training = "standard" | "FGSM";

/** Means over the test images: psnr (dB) and ssim, or mIoU and accuracy. */
export type Scores = Readonly<Record<string, number>>;

/** What lies in a residual (restored less sharp) or in logits. */
export interface Spectrum {
  /** Mean power by distance from the middle of the spectrum, from 0 to the Nyquist limit, log 10. */
  readonly radial: readonly number[];
  /** Power at the frequencies of period 2 and 4 that a grid of upsampling leaves, over that beside them; 1: no grid is seen. */
  readonly grid: number;
}

/** An entry of results/rows.json: one trained network. */
export interface Row {
  readonly part: string;
  readonly network: string;
  readonly training: "none" | Training;
  readonly seed: number;
  readonly steps: number;
  readonly seconds: number;
  readonly parameters: number;
  /** By attack and number of steps, "pgd 20", and "clean". */
  readonly scores: Readonly<Record<string, Scores>>;
  readonly spectra: { readonly clean: Spectrum; readonly attacked: Spectrum };
}

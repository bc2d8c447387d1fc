import type { NetworkConfiguration } from "../../src/vision/nn/networks/index.js";

/** config.json of an experiment that trains networks and attacks them. */
export interface StudyConfig {
  readonly seeds: readonly number[];
  readonly parts: Readonly<Record<string, Part>>;
}

/** One task with its data and the networks that are compared on it. */
export interface Part {
  /** Of the study's seeds, those of this part; default all. */
  readonly seeds?: readonly number[];
  readonly task: "restoration" | "segmentation";
  readonly networks: Readonly<Record<string, NetworkConfiguration>>;
  readonly trainings: readonly Training[];
  readonly data: {
    /** Shapes before a backdrop, each kind a class; or streets as a driver sees them. */
    readonly scenes: "shapes" | "streets";
    /** Height and width in pixels. */
    readonly size: readonly [number, number];
    readonly training: number;
    readonly test: number;
    readonly seed: number;
    /** Deblurring alone: how things move while the picture is taken, or how far the camera shakes, the same way in every picture (pixels). */
    readonly displacement?: number;
    readonly subframes?: number;
    readonly shake?: number;
  };
  readonly training: {
    readonly steps: number;
    readonly batch: number;
    /** Height and width of the windows that are trained on and tested. */
    readonly crop: readonly [number, number];
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
    /** Of whose result, and of the clean one, a spectrum is kept; default none. */
    readonly spectrum?: string;
  };
  /** What the figure of robustness has a panel for; what is not is told apart by color. */
  readonly panels: "network" | "training";
}

export type Training = "standard" | "FGSM";

/** Means over the test images: psnr (dB) and ssim, or mIoU and accuracy. */
export type Scores = Readonly<Record<string, number>>;

/** What lies in a residual (restored less sharp) or in logits. */
export interface Spectrum {
  /** Mean power by frequency, from 0 to the Nyquist limit, log 10. */
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
  readonly spectra?: { readonly clean: Spectrum; readonly attacked: Spectrum };
}

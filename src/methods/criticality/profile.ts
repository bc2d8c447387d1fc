import { isWeighted, type LayerKind } from "./layer.js";
import type { MeasureSums } from "./measures.js";

/** What became of one reset, as means over images (dense: over valid pixels). */
export interface TrialMeasures {
  readonly trial: number;
  /** 1 - mean cos(softmax z0, softmax z); continuous predictions: mean normalized change (our extension). */
  readonly criticality: number;
  readonly l1: number;
  readonly l2: number;
  /** Only for predictions over classes. */
  readonly kl?: number;
  readonly flips?: number;
  /** Only where there are labels. */
  readonly accuracy?: number;
  /** accuracy / accuracy of the intact network, where that is not 0. */
  readonly recovered?: number;
}

/** One layer, or several that were reset at once. */
export interface LayerProfile {
  readonly name: string;
  readonly kind: LayerKind | "group";
  readonly stage: string;
  readonly layers: readonly string[];
  /** C(m): mean over trials. */
  readonly criticality: number;
  /** Sample standard deviation (n - 1) over trials; 0 for one trial. */
  readonly deviation: number;
  readonly trials: readonly TrialMeasures[];
}

export interface Average {
  readonly mean: number;
  /** Population standard deviation over layers. */
  readonly deviation: number;
  readonly layers: number;
}

export interface Profile {
  readonly layers: readonly LayerProfile[];
  /**
   * Unweighted mean over convolutions and linear layers: the published figure's number. Over groups where groups were reset, over normalizations
   * where nothing else was.
   */
  readonly average: Average;
  /** The same with normalizations. */
  readonly averageWithNormalization: Average;
  /** Over the layers of `average`, in order of first appearance. */
  readonly stages: readonly (Average & { readonly name: string })[];
}

/** Sums over everything that was measured of one reset. */
export interface Gathered {
  readonly sums: MeasureSums;
  readonly count: number;
}

/** @param intactAccuracy of the network as it is; undefined where there are no labels. */
export function trialMeasures(trial: number, { sums, count }: Gathered, intactAccuracy: number | undefined): TrialMeasures {
  const mean = (sum: number | undefined) => (sum === undefined ? undefined : sum / count);
  const kl = mean(sums.kl);
  const flips = mean(sums.flips);
  const accuracy = intactAccuracy === undefined ? undefined : mean(sums.correct);
  return {
    trial,
    criticality: mean(sums.distance)!,
    l1: mean(sums.l1)!,
    l2: mean(sums.l2)!,
    ...(kl !== undefined && { kl }),
    ...(flips !== undefined && { flips }),
    ...(accuracy !== undefined && { accuracy }),
    ...(accuracy !== undefined && intactAccuracy! > 0 && { recovered: accuracy / intactAccuracy! }),
  };
}

export function layerProfile(
  unit: Pick<LayerProfile, "name" | "kind" | "stage" | "layers">,
  trials: readonly TrialMeasures[],
): LayerProfile {
  const values = trials.map((t) => t.criticality);
  const criticality = meanOf(values);
  const squares = values.reduce((sum, v) => sum + (v - criticality) ** 2, 0);
  return { ...unit, criticality, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0, trials };
}

export function profileOf(layers: readonly LayerProfile[]): Profile {
  const counted = averaged(layers);
  const stages = [...new Set(counted.map((l) => l.stage))].map((name) => ({
    name,
    ...averageOf(counted.filter((l) => l.stage === name)),
  }));
  return { layers, average: averageOf(counted), averageWithNormalization: averageOf(layers), stages };
}

/** The layers that means are taken over: convolutions and linear layers, or groups; normalizations where there is nothing else. */
export function averaged<L extends Pick<LayerProfile, "kind">>(layers: readonly L[]): readonly L[] {
  const weighted = layers.filter((l) => l.kind === "group" || isWeighted(l.kind));
  return weighted.length > 0 ? weighted : layers;
}

function averageOf(layers: readonly LayerProfile[]): Average {
  const values = layers.map((l) => l.criticality);
  const mean = meanOf(values);
  return { mean, deviation: Math.sqrt(meanOf(values.map((v) => (v - mean) ** 2))), layers: layers.length };
}

const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

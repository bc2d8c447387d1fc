import { likelyMeant, namePattern } from "../../engine/onnx/name-pattern.js";
import { sizeOf } from "../../engine/tensor/tensor.js";
import type { Declaration } from "../../vision/nn/scope.js";
import { TrainingError } from "./error.js";

/**
 * Settings for some of the parameters, in place of the run's. Where several groups have a parameter, the last one that says something
 * counts, for each setting by itself.
 *
 * @example
 * [
 *   { of: ["encoders.*"], learningRate: 1e-4 },
 *   { of: "vectors", weightDecay: 0 },
 * ]
 */
export interface ParameterGroup {
  /** Patterns of names, with * for any letters; or all tensors of one axis: biases, and the weights of normalizations. */
  readonly of: "vectors" | readonly string[];
  /** Base rate, which the schedule multiplies; 0 freezes. */
  readonly learningRate?: number;
  readonly weightDecay?: number;
}

/** All parameters that have the same settings. */
export interface Section {
  readonly learningRate: number | undefined;
  readonly weightDecay: number | undefined;
  readonly declarations: readonly Declaration[];
  /** Values in all of them. */
  readonly size: number;
}

/**
 * The parameters by their settings, in the order in which these first occur.
 *
 * @throws TrainingError for a pattern that no name fits.
 */
export function sectionsOf(parameters: readonly Declaration[], groups: readonly ParameterGroup[]): Section[] {
  const members = groups.map(({ of }) => (of === "vectors" ? isVector : named(parameters, of)));
  const sections = new Map<string, Section>();
  for (const declaration of parameters) {
    const mine = groups.filter((_, i) => members[i]!(declaration));
    const learningRate = mine.findLast((g) => g.learningRate !== undefined)?.learningRate;
    const weightDecay = mine.findLast((g) => g.weightDecay !== undefined)?.weightDecay;
    const key = `${learningRate}/${weightDecay}`;
    const { declarations, size } = sections.get(key) ?? { declarations: [], size: 0 };
    sections.set(key, {
      learningRate,
      weightDecay,
      declarations: [...declarations, declaration],
      size: size + sizeOf(declaration.shape),
    });
  }
  return [...sections.values()];
}

const isVector = ({ shape }: Declaration): boolean => shape.length <= 1;

function named(parameters: readonly Declaration[], patterns: readonly string[]): (d: Declaration) => boolean {
  const expressions = patterns.map((pattern) => {
    const expression = namePattern(pattern);
    if (!parameters.some(({ name }) => expression.test(name)))
      throw new TrainingError(
        `No parameter of the network is called "${pattern}"; ${likelyMeant(
          pattern,
          parameters.map(({ name }) => name),
        )}`,
      );
    return expression;
  });
  return ({ name }) => expressions.some((expression) => expression.test(name));
}

import type { Value } from "../../../engine/graph/graph.js";

/**
 * How parameters follow from gradients: a record whose `update` adds the rule to the step's graph. Parameters are
 * vectors [P] of many tensors each (`FlatLayout`), so that the rule costs few nodes whatever the network.
 */
export interface Optimizer {
  readonly name: string;
  /** Vectors like the parameters that the rule carries from step to step; all begin at 0. */
  readonly state: readonly string[];
  /** Numbers that change with the step, computed in float64. @param step counts from 1. */
  readonly scalars: (step: number, learningRate: number) => Readonly<Record<string, number>>;
  readonly update: (given: UpdateInputs) => Update;
  /** The same with another weight decay, for a group of parameters. */
  readonly withWeightDecay: (weightDecay: number) => Optimizer;
}

export interface UpdateInputs {
  readonly parameters: Value;
  readonly gradient: Value;
  readonly state: Readonly<Record<string, Value>>;
  readonly scalars: Readonly<Record<string, Value>>;
}

export interface Update {
  readonly parameters: Value;
  readonly state: Readonly<Record<string, Value>>;
}

import { z } from "zod";
import type { Aim, AttackBudget, CallableDefinition } from "../definition.js";
import { defineAttack } from "../definition.js";
import { AttackError } from "../error.js";
import { quarterOf } from "../packed/quarter-of.js";
import { count, grid, gridMisfits, parameter } from "../parameters.js";
import type { QuerySearch } from "./search.js";

/** The parameters that query attacks share. */
export const queryParameters = (usual: number) => ({
  queries: parameter(count.default(usual), { description: "predictions that it may ask for, for each image" }),
  ...grid,
});

/** @param usual in words. */
export const queryLoss = (usual = "the task's usual one") => ({
  loss: parameter(z.string().optional(), { description: "loss to raise", placeholder: "name", usual }),
});

/** What shared code reads of the parameters. */
interface Shared {
  readonly queries: number;
  readonly grid: "continuous" | "8-bit";
}

/** What makes one query attack differ from another. */
export interface QueryAttackParts<P> {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly summary: string;
  readonly budget: (parameters: P) => AttackBudget;
  readonly search: (parameters: P, aim: Aim) => QuerySearch;
}

/**
 * An attack that sees predictions alone, as a definition: no gradient is built, so it runs on models that have none. Queries are counted for each image, which
 * is left alone once it is won.
 */
export function queryAttack<T extends z.core.$ZodLooseShape & { readonly queries: z.ZodType; readonly loss: z.ZodType }>({
  parameters: shape,
  search,
  ...said
}: QueryAttackParts<z.output<z.ZodObject<T, z.core.$strict>>> & { readonly parameters: T }): CallableDefinition<
  z.ZodObject<T, z.core.$strict>
> {
  return defineAttack<z.ZodObject<T, z.core.$strict>>({
    ...said,
    parameters: z.strictObject(shape),
    follows: "predictions",
    until: "won",
    handles: ["perturb", "region", "tiles"],
    partOf: quarterOf,
    check: async (parameters, aim) => {
      const { lossOf } = await import("../evaluation-graph.js");
      const { grid } = parameters as unknown as Shared;
      for (const wrong of gridMisfits({ grid, epsilon: said.budget(parameters).epsilon }))
        throw new AttackError(`${said.name}: ${wrong}.`);
      const { loss } = search(parameters, aim);
      lossOf(loss === undefined ? {} : { loss }, aim.task);
    },
    compile: async (engine, parameters, model) => {
      const { queried } = await import("./queried.js");
      const { task, goal = "untargeted" } = model;
      const { queries, grid } = parameters as unknown as Shared;
      const { norm, epsilon } = said.budget(parameters);
      return queried(engine, { name: said.name, queries, grid, norm, epsilon, ...search(parameters, { task, goal }) }, model);
    },
  });
}

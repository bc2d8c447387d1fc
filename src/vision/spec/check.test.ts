import { expect, it } from "vitest";
import { z } from "zod";
import { check, fewProblems, type Problem } from "./check.js";

const schema = z.strictObject({
  steps: z.number().int().positive(),
  rate: z.number().min(0).lt(1).default(0),
  mode: z.enum(["fast", "slow"]).optional(),
  sides: z.tuple([z.number(), z.number()]).optional(),
  names: z.array(z.string()).default([]),
  data: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("folder"), path: z.string() }),
      z.strictObject({ kind: z.literal("scenes"), size: z.number() }),
    ])
    .optional(),
  network: z.union([z.string(), z.strictObject({ width: z.number(), deep: z.boolean() })]).optional(),
  radius: z.number().positive().meta({ allowed: "a radius such as 0.03" }).optional(),
});

it.each([
  [{}, "steps: is missing; it must be a whole number above 0"],
  [{ steps: "3" }, 'steps: must be a whole number above 0, not "3"'],
  [{ steps: 1.5 }, "steps: must be a whole number above 0, not 1.5"],
  [{ steps: 1, rate: 1 }, "rate: must be a number at least 0 and below 1, not 1"],
  [{ steps: 1, mode: "quick" }, 'mode: must be one of fast, slow, not "quick"'],
  [{ steps: 1, sides: [1] }, "sides: must be a list of 2, each a number, not [1]"],
  [{ steps: 1, names: ["a", 2] }, "names.1: must be a text, not 2"],
  [{ steps: 1, radius: "big" }, 'radius: must be a radius such as 0.03, not "big"'],
  [{ steps: 1, data: { kind: "file" } }, 'data.kind: must be one of folder, scenes, not "file"'],
  [{ steps: 1, data: {} }, "data.kind: is missing; it must be one of folder, scenes"],
  [{ steps: 1, data: { kind: "folder" } }, "data.path: is missing; it must be a text"],
  [{ steps: 1, data: 3 }, "data: must be an object with kind, path, or an object with kind, size, not 3"],
  [{ steps: 1, network: { width: 1 } }, "network.deep: is missing; it must be true or false"],
  [{ steps: 1, network: 3 }, "network: must be a text, or an object with width, deep, not 3"],
  [
    { steps: 1, data: { kind: "folder", path: "a", paht: "b" } },
    'data: there is no field "paht" (did you mean "path"?); fields are kind, path',
  ],
  [[1], "top level: must be an object with steps, rate, mode, sides, names, data, network, radius, not [1]"],
])("%j is answered by what is allowed", (value, problem) => {
  const { problems } = check(schema, value) as { problems: Problem[] };
  expect(problems).toHaveLength(1);
  expect(fewProblems(problems)).toBe(problem);
});

it("names every field that is wrong, and fills in defaults where none is", () => {
  expect(check(schema, { steps: 0, mode: 1 })).toEqual({
    problems: [
      { field: "steps", message: "must be a whole number above 0, not 0" },
      { field: "mode", message: "must be one of fast, slow, not 1" },
    ],
  });
  expect(check(schema, { steps: 2 })).toEqual({ data: { steps: 2, rate: 0, names: [] } });
});

it("a field can be called by another name, and the same is not said twice", () => {
  const { problems } = check(schema, { steps: 1, sides: ["a", "a"] }) as { problems: Problem[] };
  expect(problems.map(({ field }) => field)).toEqual(["sides.0", "sides.1"]);
  expect(fewProblems(problems, () => "--sides")).toBe('--sides: must be a number, not "a"');
});

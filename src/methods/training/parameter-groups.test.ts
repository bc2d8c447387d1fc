import { expect, it } from "vitest";
import { zeros } from "../../vision/nn/initializers.js";
import type { Declaration } from "../../vision/nn/scope.js";
import { type ParameterGroup, sectionsOf } from "./parameter-groups.js";

const parameters = [
  ["body.0.weight", [4, 3]],
  ["body.0.bias", [4]],
  ["norm.weight", [4]],
  ["head.weight", [2, 4]],
  ["head.bias", [2]],
].map(([name, shape]) => ({ name, shape, role: "parameter", initialize: zeros }) as Declaration);

const sections = (...groups: ParameterGroup[]) =>
  sectionsOf(parameters, groups).map(({ learningRate, weightDecay, declarations, size }) => ({
    settings: [learningRate, weightDecay],
    names: declarations.map(({ name }) => name).join(" "),
    size,
  }));

it("is one section without groups", () => {
  expect(sections()).toEqual([
    {
      settings: [undefined, undefined],
      names: "body.0.weight body.0.bias norm.weight head.weight head.bias",
      size: 12 + 4 + 4 + 8 + 2,
    },
  ]);
});

it("takes each setting from the last group that says it", () => {
  expect(sections({ of: ["head.*"], learningRate: 0.1, weightDecay: 0.5 }, { of: "vectors", weightDecay: 0 })).toEqual([
    { settings: [undefined, undefined], names: "body.0.weight", size: 12 },
    { settings: [undefined, 0], names: "body.0.bias norm.weight", size: 8 },
    { settings: [0.1, 0.5], names: "head.weight", size: 8 },
    { settings: [0.1, 0], names: "head.bias", size: 2 },
  ]);
});

it("takes a dot for a dot, and refuses a pattern that nothing fits", () => {
  expect(sections({ of: ["*.0.*"], learningRate: 0 }).map((s) => s.names)).toEqual([
    "body.0.weight body.0.bias",
    "norm.weight head.weight head.bias",
  ]);
  expect(() => sections({ of: ["head.*", "bodyx0*"], weightDecay: 0 })).toThrow(
    /No parameter of the network is called "bodyx0\*"; (did you mean|there are body)/,
  );
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Shape, sizeOf, type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import { declarations, networkModel } from "../model.js";
import {
  findNetwork,
  type NetworkConfiguration,
  recognizeConfiguration,
  resampled,
  resamplingOf,
  sameParameters,
} from "./index.js";

// Written in PyTorch after the named sources and run in float64; weights, running statistics and images are sines.
type Case = { configuration: NetworkConfiguration; input: Shape; shape: Shape; step: number; output: number[] };
const cases = ["forward", "resampling"].flatMap((name): Case[] =>
  JSON.parse(readFileSync(new URL(`../../../../fixtures/golden/networks/${name}.json`, import.meta.url), "utf8")),
);

function sines(shape: Shape, of: (sine: number) => number, frequency: number, phase: number): Tensor {
  return tensor(
    "float32",
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => of(Math.sin(i * frequency + phase))),
  );
}

function fillOf(name: string, shape: Shape): (sine: number) => number {
  if (name.endsWith("running_var")) return (s) => 1 + 0.5 * s;
  if (shape.length > 1) return (s) => (1.5 * s) / Math.sqrt(sizeOf(shape.slice(1)));
  return name.endsWith("weight") ? (s) => 1 + 0.3 * s : (s) => 0.2 * s;
}

describe.each(cases.map((c) => [JSON.stringify(c.configuration), c] as const))(
  "%s",
  (_, { configuration, input, shape, step, output }) => {
    test.each(checkedLevels)("agrees with PyTorch, optimization %s", async (level) => {
      const { network } = findNetwork(configuration);
      const declared = declarations(network, { image: input });
      const state = new Map(
        [...declared.keys()].sort().map((name, i) => {
          const { shape } = declared.get(name)!;
          return [name, sines(shape, fillOf(name, shape), 0.7 + 0.01 * i, i)];
        }),
      );
      const image = sines(input, (s) => 0.5 * s + 0.5, 0.37, 0.3);
      const results = await runModel(networkModel(network, state, { image: input }), { image }, level);
      expect(results.output!.shape).toEqual(shape);
      const samples = toNumbers(results.output!).filter((_, i) => i % step === 0);
      const largest = Math.max(...output.map(Math.abs));
      samples.forEach((v, i) => {
        expect(Math.abs(v - output[i]!) / largest).toBeLessThan(5e-5);
      });
      expect(samples.length).toBe(output.length);
    });

    test("is recognized from its parameters, up to what leaves no trace in them", () => {
      const recognized = recognizeConfiguration(declarations(findNetwork(configuration).network, { image: input }));
      const [own, { down, up }, alike] = [resamplingOf(configuration), resamplingOf(recognized), sameParameters(recognized)];
      expect([down, ...alike.down]).toContain(own.down);
      expect([up, ...alike.up]).toContain(own.up);
      expect(resampled(recognized, own)).toMatchObject(configuration);
    });
  },
);

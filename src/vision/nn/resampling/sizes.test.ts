import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Value } from "../../../engine/graph/graph.js";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { checkedLevels, runModel } from "../../../engine/testing/run-model.js";
import {
  asapPool,
  type BoaConvention,
  boaDown,
  type FreqAvgConvention,
  flcPool,
  freqAvgUp,
  lctc,
  type SplitConvention,
  splitUp,
} from "./index.js";
import { compareWith } from "./testing/golden.js";

// PyTorch's numbers by Fourier transforms in float64 (tools/reference/resampling_sizes.py), at sizes at which code goes wrong.
const folder = new URL("../../../../fixtures/resampling-sizes/", import.meta.url);
const { tensors } = parseSafetensors(readFileSync(new URL("cases.safetensors", folder)));

interface SizeCase {
  readonly operator: keyof typeof operators;
  readonly stride?: number;
  readonly convention?: string;
  readonly padding?: "constant" | "reflect";
}
const cases = JSON.parse(readFileSync(new URL("cases.json", folder), "utf8")) as SizeCase[];

type Inputs = ReadonlyMap<string, Value>;
const operators = {
  flc: (t: Inputs, { stride }: SizeCase) => flcPool(t.get("input")!, { stride: stride! }),
  asap: (t: Inputs, { stride }: SizeCase) => asapPool(t.get("input")!, { stride: stride! }),
  boa: (t: Inputs, { convention, padding }: SizeCase) =>
    boaDown(t.get("input")!, t.get("alpha")!, { convention: convention as BoaConvention, padding: padding! }),
  "freq-avg": (t: Inputs, { convention }: SizeCase) =>
    freqAvgUp(t.get("input")!, t.get("beta")!, convention as FreqAvgConvention),
  "split-up": (t: Inputs, { convention }: SizeCase) => splitUp(t.get("input")!, t.get("beta")!, convention as SplitConvention),
  lctc: (t: Inputs) => lctc(t.get("input")!, { weight: t.get("weight")! }),
} as const;

describe.each(
  cases.map((entry, n) => {
    const stored = new Map<string, Tensor>();
    for (const [name, value] of tensors) if (name.startsWith(`${n}/`)) stored.set(name.slice(`${n}/`.length), value);
    return [
      `${entry.operator} ${entry.convention ?? entry.stride ?? ""} of [${stored.get("input")!.shape}]`,
      entry,
      stored,
    ] as const;
  }),
)("%s", (_, entry, stored) => {
  test.each(checkedLevels)("output and all gradients, optimization %s", async (level) => {
    const deviations = await compareWith(
      (inputs) => operators[entry.operator](inputs, entry),
      stored,
      (graph, feeds) => runModel(graph, feeds, level),
    );
    expect(deviations.length).toBeGreaterThan(1);
    expect(deviations.filter(({ error }) => !(error < 1e-5))).toEqual([]);
  });
});

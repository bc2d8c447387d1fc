import { expect, it } from "vitest";
import type { AttackRecord } from "../attack/run-attack.js";
import { beforeAndAfter } from "./charts.js";
import type { Headline } from "./headline.js";

const records = (n: number) => Array.from({ length: n }, (_, index) => ({ index, sample: `s${index}` }) as AttackRecord);
const number = (of: Headline["of"]): Headline => ({
  kind: "metric",
  reference: "truth",
  label: "mIoU",
  share: true,
  worse: true,
  text: String,
  each: String,
  of,
  over: () => null,
  damage: () => 0,
});

it("draws a row for each of a few samples, and every sample of many, those at the ends of the scale too", () => {
  expect(
    beforeAndAfter(
      records(5),
      number((_, stage) => (stage === "clean" ? 1 : 0.2)),
    ).match(/<circle/g),
  ).toHaveLength(10);
  const chart = beforeAndAfter(
    records(40),
    number((_, stage) => (stage === "clean" ? 1 : 0)),
  );
  const bars = [...chart.matchAll(/<rect[^>]*height="([\d.]+)"/g)].map((m) => Number(m[1]));
  expect(bars).toHaveLength(2);
  expect(bars[0]).toBe(bars[1]);
  expect(bars[0]).toBeGreaterThan(50);
});

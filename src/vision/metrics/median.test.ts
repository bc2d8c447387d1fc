import { expect, it } from "vitest";
import { median } from "./median.js";

it.each([
  [[7], 7],
  [[10, 9, 2], 9],
  [[3, 1, 2, 8], 2.5],
  [[1, Number.POSITIVE_INFINITY], Number.POSITIVE_INFINITY],
  [[], Number.NaN],
])("the median of %j is %d", (values, wanted) => {
  expect(median(values)).toBe(wanted);
  expect(median(Float32Array.from(values))).toBe(wanted);
});

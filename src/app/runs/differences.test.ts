import { expect, it } from "vitest";
import { differences } from "./differences.js";

const [one, other] = ["a".repeat(64), "b".repeat(64)];

it("names each setting in which two plans differ, and no hash", () => {
  const there = { config: { steps: 6, loss: "l1" }, model: { sha256: one }, data: { path: one, limit: 5 }, plugins: [one] };
  const now = { config: { steps: 7, loss: "l1" }, model: { sha256: other }, data: { path: other }, plugins: [other] };
  expect(differences(there, now)).toEqual([
    "steps is 6 there and 7 now",
    "model holds something else now",
    "data holds something else now",
    "data.limit is 5 there and not said now",
    "plugins holds something else now",
  ]);
  expect(differences(there, there)).toEqual([]);
  expect(differences({ plugins: [] }, { plugins: [one] })).toEqual(["plugins holds something else now"]);
});

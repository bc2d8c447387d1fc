import { expect, it } from "vitest";
import { nearest } from "./nearest.js";

it("takes a slip of the pen for what it is, and not more", () => {
  expect(nearest("stepz", ["batch", "steps"])).toEqual(["steps"]);
  expect(nearest("color", ["batch", "steps"])).toEqual([]);
});

it("finds a name by its end, the shortest first", () => {
  const names = ["/model/neck/conv/Conv_output_0", "/model/head/cls_logits_scaled", "/model/head/cls_logits", "y"];
  expect(nearest("head/cls_logits", names, 3)).toEqual(["/model/head/cls_logits", "/model/head/cls_logits_scaled"]);
});

it("takes the beginning of a name for that name before one that has it within", () => {
  expect(nearest("eps", ["steps", "epsilon"], 2)).toEqual(["epsilon", "steps"]);
});

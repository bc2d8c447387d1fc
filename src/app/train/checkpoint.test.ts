import { expect, it } from "vitest";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { decodeCheckpoint, encodeCheckpoint } from "./checkpoint.js";

const weights = new Map([["a.weight", tensor("float32", [2], [1, 2])]]);

it("a checkpoint comes back as it was", () => {
  const checkpoint = {
    state: { step: 7, network: weights, average: weights, optimizer: { mean: weights } },
    losses: [0.5, 0.25],
  };
  expect(decodeCheckpoint(encodeCheckpoint(checkpoint), "x")).toEqual(checkpoint);
});

it.each([
  [{ step: "seven", losses: "[]" }, "run/last is no checkpoint of a training run; remove it to begin anew."],
  [{ step: "7", losses: "[1," }, "run/last is damaged (its losses are no list of numbers); remove it to begin anew."],
  [{ step: "7", losses: '["a"]' }, "run/last is damaged (its losses are no list of numbers); remove it to begin anew."],
])("%s is refused in a sentence", (metadata, sentence) => {
  expect(() => decodeCheckpoint(writeSafetensors(weights, metadata), "run/last")).toThrow(sentence);
});

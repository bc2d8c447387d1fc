import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { Random } from "../../../engine/tensor/random.js";
import { parseSafetensors, SafetensorsError, writeSafetensors } from "../../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { CheckpointError } from "./error.js";
import { readPth } from "./pth.js";

const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../../fixtures/checkpoints/${name}`, import.meta.url)));
const safetensors = writeSafetensors(
  new Map<string, Tensor>([
    ["weight", tensor("float32", [2, 2], [1, 2, 3, 4])],
    ["count", tensor("int64", [], [5n])],
  ]),
  { step: "7" },
);

/** The file with up to four bytes changed, or cut short. */
function damaged(file: Uint8Array, seed: number): Uint8Array {
  const random = new Random(seed, "damage");
  if (random.uniform() < 0.1) return file.slice(0, random.integer(file.length));
  const bytes = file.slice();
  for (let n = random.integer(4); n >= 0; n--) bytes[random.integer(bytes.length)] = random.integer(256);
  return bytes;
}

it.each([
  ["mixed.pth", fixture("mixed.pth"), (bytes: Uint8Array) => readPth(bytes), CheckpointError],
  ["mixed_protocol4.pth", fixture("mixed_protocol4.pth"), (bytes: Uint8Array) => readPth(bytes), CheckpointError],
  ["two_states.pth", fixture("two_states.pth"), (bytes: Uint8Array) => readPth(bytes, { key: "params" }), CheckpointError],
  ["safetensors", safetensors, parseSafetensors, SafetensorsError],
] as const)("%s, damaged anywhere, is read or refused in a sentence", (_, file, read, kind) => {
  let refused = 0;
  for (let seed = 0; seed < 1500; seed++) {
    try {
      read(damaged(file, seed));
    } catch (error) {
      expect(error, `seed ${seed}`).toBeInstanceOf(kind);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(300);
});

import type { ValueInfo } from "../onnx/model.js";
import { describe, sizeOf } from "../tensor/tensor.js";
import { EngineError, type Feeds } from "./engine.js";

/**
 * Checks the feeds of a run before it is sent.
 *
 * @throws EngineError naming the input with what the program expects and what it got.
 */
export function checkFeeds(inputs: readonly ValueInfo[], feeds: Feeds): void {
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((i) => i.name === name)) {
      throw new EngineError(`Unknown input "${name}"; the program's inputs are ${list(inputs)}.`);
    }
  }
  for (const input of inputs) {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    const where = `Input "${input.name}"`;
    if (!feed) throw new EngineError(`${where} is missing; the program expects ${typeOf(input)}.`);
    const fits =
      feed.type === input.type &&
      (input.shape === undefined ||
        (input.shape.length === feed.shape.length && input.shape.every((d, i) => typeof d === "string" || d === feed.shape[i])));
    if (!fits) throw new EngineError(`${where}: the program expects ${typeOf(input)}, not ${describe(feed)}.`);
    if (feed.data && feed.data.length !== sizeOf(feed.shape)) {
      throw new EngineError(`${where}: ${describe(feed)} has ${sizeOf(feed.shape)} elements, but its data ${feed.data.length}.`);
    }
  }
}

/** @throws EngineError when a name is none of the outputs. */
export function checkOutputs(outputs: readonly ValueInfo[], names: readonly string[]): void {
  for (const name of names) {
    if (!outputs.some((o) => o.name === name)) {
      throw new EngineError(`Unknown output "${name}"; the program's outputs are ${list(outputs)}.`);
    }
  }
}

const list = (values: readonly ValueInfo[]) => values.map((v) => `"${v.name}" ${typeOf(v)}`).join(", ") || "none";
const typeOf = (v: ValueInfo) => `${v.type}[${v.shape?.map((d) => (d === "" ? "?" : d)).join(", ") ?? "..."}]`;

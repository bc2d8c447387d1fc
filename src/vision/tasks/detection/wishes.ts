import type { Tensor } from "../../../engine/tensor/tensor.js";
import { type OutputSpec, WishError, type WishRule } from "../task.js";
import { listOf, state } from "./boxes.js";
import { shown } from "./decode.js";

// What an attacker may want a detector to say. A wish is a list of objects like the truth, made from the model's clean prediction.

const takes =
  '"vanish" (nothing is seen), "flood" or "flood:CLASS" (objects everywhere), "class:CLASS" (all that is seen is of that class), or "shift" (boxes half their size aside); CLASS is a number, counted from 0';

/** A word as it is typed: what is wanted, and of which class. */
function parse(word: string): { readonly kind: "vanish" | "flood" | "class" | "shift"; readonly label: number } {
  const [kind = "", given] = word.split(":");
  const label = given === undefined ? -1 : Number(given);
  const labeled = { vanish: "never", flood: "may", class: "must", shift: "never" }[kind];
  const fits = Number.isInteger(label) && (given === undefined ? labeled !== "must" : labeled !== "never" && label >= 0);
  if (labeled === undefined || given === "" || !fits) throw new WishError(`--target ${word}: detection takes ${takes}.`);
  return { kind: kind as "vanish", label };
}

/** Every box half its width to the right. */
const aside = <B extends { readonly x1: number; readonly x2: number }>(b: B): B => {
  const step = (b.x2 - b.x1) / 2;
  return { ...b, x1: b.x1 + step, x2: b.x2 + step };
};

export const wishes: WishRule = {
  takes,
  async read(word) {
    const { kind, label } = parse(word);
    return (prediction: Tensor, output: OutputSpec) => {
      const classes = prediction.shape[0]! - 4;
      if (label >= classes) throw new WishError(`--target ${word}: the model has the classes 0 to ${classes - 1}.`);
      if (kind === "vanish") return listOf([]);
      if (kind === "flood") return listOf([{ x1: 0, y1: 0, x2: 0, y2: 0, label, state: state.everywhere }]);
      const seen = shown(prediction, output);
      return listOf(kind === "class" ? seen.map((d) => ({ ...d, label })) : seen.map(aside));
    };
  },
  say(word, className) {
    const { kind, label } = parse(word);
    const name = label < 0 ? "" : `class ${label}${className(label) ? ` (${className(label)})` : ""}`;
    if (kind === "vanish") return "seeing nothing";
    if (kind === "flood") return label < 0 ? "objects everywhere" : `objects of ${name} everywhere`;
    return kind === "class" ? `${name} for all that it sees` : "boxes half their size aside";
  },
  judgedBy(word) {
    const { kind } = parse(word);
    if (kind === "vanish") return { name: "boxes", wanted: "lower" };
    return kind === "flood" ? { name: "boxes", wanted: "higher" } : undefined;
  },
};

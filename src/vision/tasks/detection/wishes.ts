import { nearest } from "../../../engine/onnx/nearest.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { type OutputSpec, WishError, type WishRule } from "../task.js";
import { listOf, state } from "./boxes.js";
import { shown } from "./decode.js";

// What an attacker may want a detector to say. A wish is a list of objects like the truth, made from the model's clean prediction.

const takes =
  '"vanish" (nothing is seen), "flood" or "flood:CLASS" (objects everywhere), "class:CLASS" (all that is seen is of that class), or "shift" (boxes half their size aside); CLASS is a number, counted from 0, or a name';

type Kind = "vanish" | "flood" | "class" | "shift";
const classOf: Readonly<Record<Kind, "never" | "may" | "must">> = {
  vanish: "never",
  flood: "may",
  class: "must",
  shift: "never",
};

/** A word as it is typed: what is wanted, and of which class, as it is typed. */
function parse(word: string): { readonly kind: Kind; readonly named: string | undefined } {
  const at = word.indexOf(":");
  const [kind, named] = at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)];
  const needs = Object.hasOwn(classOf, kind) ? classOf[kind as Kind] : undefined;
  const fits = named === undefined ? needs !== "must" : needs !== "never" && named !== "";
  if (needs === undefined || !fits) throw new WishError(`--target ${word}: detection takes ${takes}.`);
  return { kind: kind as Kind, named };
}

/** A class by its number or its name; -1 where none is said. */
function labelOf(word: string, named: string | undefined, names: readonly string[]): number {
  if (named === undefined) return -1;
  if (/^\d+$/.test(named)) return Number(named);
  const label = names.findIndex((name) => name.toLowerCase() === named.toLowerCase());
  if (label >= 0) return label;
  const [like] = nearest(named, names);
  throw new WishError(
    names.length === 0
      ? `--target ${word}: the classes have no names here; say the class's number, counted from 0.`
      : `--target ${word}: there is no class "${named}"${like === undefined ? "" : ` (did you mean "${like}"?)`}; classes are ${names.slice(0, 8).join(", ")}${names.length > 8 ? " ..." : ""}.`,
  );
}

/** Every box half its width to the right. */
const aside = <B extends { readonly x1: number; readonly x2: number }>(b: B): B => {
  const step = (b.x2 - b.x1) / 2;
  return { ...b, x1: b.x1 + step, x2: b.x2 + step };
};

export const wishes: WishRule = {
  takes,
  async read(word, _, names = []) {
    const { kind, named } = parse(word);
    const label = labelOf(word, named, names);
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
    const { kind, named } = parse(word);
    const known = named !== undefined && /^\d+$/.test(named) ? className(Number(named)) : undefined;
    const name = `class ${named}${known ? ` (${known})` : ""}`;
    if (kind === "vanish") return "seeing nothing";
    if (kind === "flood") return named === undefined ? "objects everywhere" : `objects of ${name} everywhere`;
    return kind === "class" ? `${name} for all that it sees` : "boxes half their size aside";
  },
  judgedBy(word) {
    const { kind } = parse(word);
    if (kind === "vanish") return { name: "boxes", wanted: "lower" };
    return kind === "flood" ? { name: "boxes", wanted: "higher" } : undefined;
  },
};

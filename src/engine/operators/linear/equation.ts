import type { Shape } from "../../tensor/tensor.js";

/** An Einsum equation with its ellipses written out: one letter for each axis. */
export interface Equation {
  /** The subscripts of each operand. */
  readonly terms: readonly string[];
  readonly output: string;
  /** The size of the axis that each letter stands for. */
  readonly sizes: ReadonlyMap<string, number>;
}

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/**
 * Reads an Einsum equation as the ONNX specification defines it: spaces mean nothing; `...` stands for the axes that the letters leave over
 * and broadcasts; without `->` the result has the ellipsis and then, in alphabetical order, every letter that occurs once.
 *
 * @example parseEquation("...ij,jk", [[2, 3, 4], [4, 5]], fail) // terms ["aij", "jk"], output "aik"
 */
export function parseEquation(equation: string, shapes: readonly Shape[], fail: (message: string) => never): Equation {
  const wrong = (what: string) => fail(`equation "${equation}": ${what}`);
  const [left = "", right, ...rest] = equation.replace(/\s+/g, "").split("->");
  const given = left.split(",");
  if (rest.length > 0) wrong("it has more than one arrow");
  if (given.length !== shapes.length) wrong(`it has ${given.length} terms for ${shapes.length} inputs`);
  for (const term of [...given, right ?? ""])
    if (!/^[a-zA-Z]*(\.\.\.[a-zA-Z]*)?$/.test(term)) wrong(`"${term}" is not a list of letters with at most one ellipsis`);

  const spared = given.map((term, i) => (term.includes("...") ? shapes[i]!.length - (term.length - 3) : 0));
  if (spared.some((n) => n < 0)) wrong("a term has more letters than its input has axes");
  const batch = [...alphabet].filter((c) => !equation.includes(c)).slice(0, Math.max(0, ...spared));
  const terms = given.map((term, i) => term.replace("...", batch.slice(batch.length - spared[i]!).join("")));

  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    if (term.length !== shapes[i]!.length) wrong(`"${given[i]}" does not fit an input of rank ${shapes[i]!.length}`);
    [...term].forEach((letter, axis) => {
      const size = shapes[i]![axis]!;
      const known = sizes.get(letter) ?? 1;
      if (known !== size && known !== 1 && size !== 1) wrong(`"${letter}" stands for sizes ${known} and ${size}`);
      sizes.set(letter, known === 1 ? size : known);
    });
  });
  const once = [...alphabet].sort().filter((c) => !batch.includes(c) && terms.join("").split(c).length === 2);
  const output = right === undefined ? [...batch, ...once].join("") : right.replace("...", batch.join(""));
  for (const letter of output) {
    if (!sizes.has(letter)) wrong(`"${letter}" of the result occurs in no term`);
    if (output.split(letter).length > 2) wrong(`"${letter}" occurs twice in the result`);
  }
  return { terms, output, sizes };
}

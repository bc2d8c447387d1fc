/** One line of results.jsonl, and what it means. */
import { existsSync, readFileSync } from "node:fs";

export const resultsPath = new URL("results.jsonl", import.meta.url);

export interface Line {
  readonly family: string;
  readonly task: string;
  readonly source: string;
  readonly exporter: string;
  readonly form: string;
  /** Of Faultline. */
  readonly commit: string;
  /** What PyTorch or the converter said instead of writing a file. */
  readonly notExported?: string;
  /** How far a right gradient may lie from float64's: see export.py. */
  readonly yardstick?: number;
  /** Whose gradient it is compared with: a quantized file has its own, straight-through, where the interpreter knows all its operators. */
  readonly against?: "file" | "float network";
  /** Relative error of the file's own prediction against PyTorch's, in ONNX Runtime as it stands; null or NaN where that does not run it. */
  readonly original?: number | null;
  readonly straight?: Comparison;
  readonly rewritten?: Comparison;
}

/** `faultline grad` of a file, against autograd in float64: the worst image counts. */
export type Comparison =
  | { readonly refused: string }
  | { readonly doesNotRun: string }
  | {
      /** Relative L2 error of the predictions that the gradient model computes on the way. JSON writes what is not finite as null. */
      readonly forward: number | null;
      readonly error: number | null;
      readonly cosine: number | null;
      readonly seconds: number;
    };

export type Outcome = "right" | "undecided" | "refused" | "wrong" | "not exported" | "file differs";

export interface Judgement {
  readonly outcome: Outcome;
  readonly because: string;
}

export function readResults(path: string | URL = resultsPath): Line[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((text) => JSON.parse(text));
}

/** What a form does to a gradient by its nature: a bound on the relative error, or a cosine that must be reached. */
interface Bound {
  readonly floor: number;
  readonly times: number;
  readonly forward: number;
  readonly cosine?: number;
}

function boundOf({ form, against }: Line): Bound {
  if (form.includes("int8")) {
    // ONNX Runtime fuses quantized operators, which moves values that lie near a tie of rounding by a step.
    if (against === "file") return { floor: 0.15, times: 3, forward: 0.2 };
    return { floor: Number.POSITIVE_INFINITY, times: 1, forward: Number.POSITIVE_INFINITY, cosine: 0.9 };
  }
  if (form.startsWith("float16")) return { floor: 2e-2, times: 3, forward: 5e-2 };
  return { floor: 1e-4, times: 3, forward: 1e-3 };
}

export function judge(line: Line): Judgement {
  if (line.notExported !== undefined) return { outcome: "not exported", because: line.notExported };
  const bound = boundOf(line);
  if ((line.original ?? 0) > bound.forward)
    return { outcome: "file differs", because: `the file's own prediction differs from PyTorch's by ${line.original}` };
  const judged = [judgeOne(line.straight!, line, bound, "straight"), judgeOne(line.rewritten!, line, bound, "rewritten")];
  return judged.find((j) => j.outcome === "wrong") ?? judged.find((j) => j.outcome !== "right") ?? judged[1]!;
}

function judgeOne(comparison: Comparison, { yardstick, original }: Line, bound: Bound, which: string): Judgement {
  if ("refused" in comparison) return { outcome: "refused", because: comparison.refused };
  if ("doesNotRun" in comparison)
    return { outcome: "wrong", because: `${which}: the gradient model does not run: ${comparison.doesNotRun}` };
  const { error, cosine, forward } = comparison;
  const limit = Math.max(bound.floor, bound.times * yardstick!);
  if (forward === null || forward > Math.max(bound.forward, 2 * (original || 0)))
    return { outcome: "wrong", because: `${which}: its prediction differs by ${forward} (in the file itself by ${original})` };
  if (!Number.isFinite(error ?? Number.NaN) || !Number.isFinite(cosine ?? Number.NaN))
    return { outcome: "wrong", because: `${which}: the gradient is zero, or not finite` };
  const text = `${which}: gradient off by ${error}, at most ${limit.toPrecision(2)} may be, cosine ${cosine}`;
  if (error! > limit || cosine! < (bound.cosine ?? -1)) return { outcome: "wrong", because: text };
  // Where rounding alone may turn the gradient around, being within that says nothing.
  return { outcome: limit > 0.5 && cosine! < 0.98 ? "undecided" : "right", because: text };
}

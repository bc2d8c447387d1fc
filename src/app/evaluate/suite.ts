import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { nearest } from "../../engine/onnx/nearest.js";
import { noAttack } from "../../methods/attacks/catalogue/no-attack.js";
import { check, fewProblems } from "../../vision/spec/check.js";
import type { Task } from "../../vision/tasks/index.js";
import { refuseRecord } from "../runs/refuse-record.js";
import { suites } from "./suites.js";

/** A suite that cannot be read, or does not go with a model: one sentence. */
export class SuiteError extends Error {
  override readonly name = "SuiteError";
}

/** What a model is put through: attacks at given settings, corruptions at given severities. A file of it is what `--suite FILE` reads. */
export const suiteSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/),
  /** Where its settings come from. */
  source: z.string().optional(),
  /** What its tasks predict, and for what; absent: any task. */
  for: z
    .strictObject({
      kind: z.enum(["classes", "values", "picture", "boxes"]).optional(),
      extent: z.enum(["image", "pixels", "objects"]).optional(),
    })
    .optional(),
  /** Names of attacks with their parameters, as they are typed without dashes: { "attack": "pgd", "epsilon": "8/255", "step-size": 0.01 }. */
  attacks: z.array(z.object({ attack: z.string() }).catchall(z.union([z.string(), z.number(), z.boolean()]))),
  corruptions: z.strictObject({ kinds: z.array(z.string()), severities: z.array(z.number().int().min(1).max(5)) }).optional(),
});
export type Suite = z.infer<typeof suiteSchema>;

/** One run of a suite. */
export interface SuiteRun {
  /** A folder's name that tells it apart: pgd-epsilon-8-255-steps-20, fog-3. */
  readonly name: string;
  readonly attack: string;
  /** Parameters by the names of the library, as texts. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly corruption?: string;
}

/**
 * The suite of this name, or in this file.
 *
 * @throws SuiteError
 */
export function readSuite(name: string): Suite {
  if (Object.hasOwn(suites, name)) return suites[name]!;
  if (!existsSync(name)) {
    const known = Object.keys(suites);
    const [like] = nearest(name, known);
    throw new SuiteError(
      `there is no suite "${name}"${like === undefined ? "" : ` (did you mean ${like}?)`}, and no file of that name; there are ${known.join(", ")}.`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(name, "utf8"));
  } catch (error) {
    throw new SuiteError(`${name} is not valid JSON (${(error as Error).message}).`);
  }
  refuseRecord(value, name, "a suite (faultline evaluate --print-suite NAME prints one)");
  const read = check(suiteSchema, value);
  if ("problems" in read) throw new SuiteError(`${name}: ${fewProblems(read.problems)}.`);
  return read.data as Suite;
}

/** @throws SuiteError where the suite is for other tasks. */
export function demandTask(suite: Suite, { name, kind, extent }: Pick<Task, "name" | "kind" | "extent">): void {
  const wanted = suite.for ?? {};
  if ((wanted.kind ?? kind) === kind && (wanted.extent ?? extent) === extent) return;
  const fitting = Object.values(suites).filter((s) => (s.for?.kind ?? kind) === kind && (s.for?.extent ?? extent) === extent);
  const hint = fitting.length === 0 ? "write one of your own" : `take ${fitting.map((s) => s.name).join(" or ")}`;
  throw new SuiteError(`suite ${suite.name} is not for ${name}; ${hint} (--suite).`);
}

/** stepSize, from step-size. */
const camel = (flag: string): string => flag.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The runs of a suite: without an attack first, then its attacks, then its corruptions. */
export function runsOf({ attacks, corruptions }: Suite, frost: string | undefined): SuiteRun[] {
  const attacked = attacks.map(({ attack, ...parameters }) => ({
    name: [attack, ...Object.entries(parameters).map(([flag, value]) => `${flag}-${value}`)]
      .join("-")
      .replaceAll(/[^\w.+-]/g, "-"),
    attack,
    parameters: Object.fromEntries(Object.entries(parameters).map(([flag, value]) => [camel(flag), String(value)])),
  }));
  const corrupted = (corruptions?.kinds ?? []).flatMap((kind) =>
    corruptions!.severities.map((severity) => ({
      name: `${kind}-${severity}`,
      attack: noAttack.name,
      parameters: {},
      corruption: `${kind}:${severity}${kind === "frost" && frost !== undefined ? `,pictures=${frost}` : ""}`,
    })),
  );
  return [{ name: "clean", attack: noAttack.name, parameters: {} }, ...attacked, ...corrupted];
}

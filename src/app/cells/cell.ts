import { createHash } from "node:crypto";
import { z } from "zod";
import { check, fewProblems } from "../../vision/spec/check.js";
import { identityOf, type PlanFile, planFileSchema } from "../attack/plan.js";
import { version } from "../cli/version.js";
import { corruptionWords } from "../data/corruption.js";
import { isMade } from "../data/open-data.js";

// One run of a benchmark as a value that travels: to a process of this machine, or through a queue to another one.

/** A cell that cannot be run here, nor anywhere: one sentence. */
export class CellError extends Error {
  override readonly name = "CellError";
}

/** Number of the form of a cell. */
export const cellFormat = 1;

/** Rises when the same cell comes to other numbers than before: what was kept of it is not taken any more. */
export const resultsVersion = 1;

/**
 * A plan before it is known which runtime computes it; the one that runs it records that. The number of threads is part of it: how ONNX Runtime cuts its
 * work follows that number, and so do the last digits (docs/sweep.md).
 */
export const cellPlanSchema = planFileSchema.omit({ shard: true, runtime: true }).extend({
  runtime: planFileSchema.shape.runtime.omit({ runtime: true }),
});
export type CellPlan = z.infer<typeof cellPlanSchema>;

export const cellSchema = z.strictObject({
  format: z.literal(cellFormat),
  /** Of Faultline: of the one that planned it, and of the one that runs it. */
  version: z.string(),
  /** Its folder within the directory of all: readable, and alone of its name. */
  name: z.string().regex(/^(?!.*\.\.)[\w][\w./+@=,-]*$/),
  /** SHA-256 of everything that its result depends on. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  plan: cellPlanSchema,
  /** SHA-256 of what files hold that the plan only names (masks, pictures that are driven towards, the samples themselves). */
  contents: z.array(z.string()),
  audit: z.enum(["run", "skipped"]),
  assets: z.enum(["inline", "folder"]),
});
export type Cell = z.infer<typeof cellSchema>;

/** What makes a cell of a plan. */
export type CellParts = Pick<Cell, "name" | "plan" | "contents" | "audit" | "assets">;

/** A cell with its key. @param parts its name may hold the first digits of the key. */
export function cellOf({
  name,
  plan: given,
  ...parts
}: Omit<CellParts, "name"> & { readonly name: string | ((digits: string) => string) }): Cell {
  // Parsed, so that the fields stand in the schema's order here as they do where it arrives: keys and plans are compared by their bytes.
  const plan = { ...cellPlanSchema.parse(given), spec: inOrder(given.spec) };
  const key = keyOf({ ...parts, plan });
  return { format: cellFormat, version, name: typeof name === "string" ? name : name(key.slice(0, 8)), key, plan, ...parts };
}

/** Specifications may name thousands of classes, and thousands of cells have the same one. */
const parsed = new WeakMap<object, CellPlan["spec"]>();
function inOrder(spec: CellPlan["spec"]): CellPlan["spec"] {
  const own = parsed.get(spec) ?? cellPlanSchema.shape.spec.parse(spec);
  parsed.set(spec, own);
  return own;
}

/** The key of everything that a result depends on: contents, not paths; not the name, and not the machine. */
export function keyOf({ plan, contents, audit, assets }: Omit<CellParts, "name">): string {
  const { version: _, ...identity } = identityOf(asPlanFile(plan)) as Record<string, unknown>;
  const transfer = plan.transfer?.map(({ sha256, spec }) => [sha256, spec]);
  const deciding = { version, resultsVersion, identity, transfer, contents, audit, assets };
  return createHash("sha256").update(JSON.stringify(deciding)).digest("hex");
}

/** A cell's plan as run.json holds it. */
export const asPlanFile = (plan: CellPlan, runtime = ""): PlanFile => {
  const { provider, ...rest } = plan.runtime;
  return { ...plan, runtime: { provider, runtime, ...rest } };
};

/**
 * A cell that came from elsewhere.
 *
 * @throws CellError in one sentence: of another version, damaged, or no cell.
 */
export function readCell(value: unknown): Cell {
  const { format, version: made } = (typeof value === "object" && value !== null ? value : {}) as Partial<Cell>;
  if (typeof format !== "number" || typeof made !== "string") throw new CellError("this is no cell of a sweep.");
  if (format !== cellFormat || made !== version) {
    const order = format === cellFormat ? "another" : format > cellFormat ? "a newer" : "an older";
    throw new CellError(
      `the cell was planned by ${order} Faultline (${made}, form ${format}), and this is ${version} (form ${cellFormat}); run the same version on all machines.`,
    );
  }
  const read = check(cellSchema, value);
  if ("problems" in read) throw new CellError(`the cell is damaged (${fewProblems(read.problems)}).`);
  const cell = read.data as Cell;
  if (keyOf(cell) !== cell.key) throw new CellError(`the cell ${cell.name} is damaged: its key is not that of its content.`);
  return cell;
}

/** Something that a cell is made from. */
export interface Need {
  /** As the plan names it. */
  readonly named: string;
  readonly kind: "model" | "data" | "file" | "folder";
  /** Of a file's content, or a data set's fingerprint; undefined where the plan keeps none. */
  readonly sha256?: string | undefined;
}

/** All files and folders that a cell is made from; scenes that are made need none. */
export function needsOf({ plan }: Pick<Cell, "plan">): Need[] {
  const { model, data, threat, fitOn, goal, transfer = [] } = plan;
  const pictures = data.corruption === undefined ? undefined : corruptionWords(data.corruption).given.pictures;
  const needs: Need[] = [
    { named: model.path, kind: "model", sha256: model.sha256 },
    { named: data.path, kind: "data", sha256: data.sha256 },
    ...transfer.map((other): Need => ({ named: other.path, kind: "model", sha256: other.sha256 })),
    ...(fitOn?.kind === "data" || fitOn?.kind === "file"
      ? [{ named: fitOn.path, kind: fitOn.kind, sha256: fitOn.sha256 } as const]
      : []),
    ...(threat.eot?.sha256 === undefined
      ? []
      : [{ named: threat.eot.transform, kind: "file", sha256: threat.eot.sha256 } as const]),
    ...(threat.region === undefined ? [] : [{ named: threat.region, kind: "file" } as const]),
    ...(goal.kind === "targeted" && isPicture(goal.target) ? [{ named: goal.target, kind: "file" } as const] : []),
    ...(pictures === undefined ? [] : [{ named: pictures, kind: "folder" } as const]),
  ];
  return needs.filter(({ named, kind }) => kind !== "data" || !isMade(named));
}

/** Whether what an attacker wishes for is a file. */
export const isPicture = (target: string): boolean => /\.(png|jpe?g|webp|tiff?|bmp|gif)$/i.test(target);

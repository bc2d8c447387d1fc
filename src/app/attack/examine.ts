import type { RunDirectory } from "../runs/run-directory.js";
import { audit, type Check, gather } from "./audit.js";
import type { AttackContext, AttackRecord } from "./run-attack.js";

const marks = { passed: "ok  ", warning: "WARN", failed: "FAIL", "not applicable": "-   " } as const;

/** Audits a finished run. */
export async function examine(
  context: AttackContext,
  run: RunDirectory<AttackRecord>,
  { samples, onProgress }: { readonly samples?: number; readonly onProgress?: (note: string) => void } = {},
): Promise<Check[]> {
  return audit(
    context.plan,
    await gather(context, run.records, run.path, { ...(samples && { samples }), ...(onProgress && { onProgress }) }),
  );
}

/** The checks as lines for a terminal; those that say nothing are left out. */
export function checklist(checks: readonly Check[]): string {
  return checks
    .filter((c) => c.verdict !== "not applicable")
    .map((c) => `${marks[c.verdict]}  ${c.name}: ${c.sentence}\n`)
    .join("");
}

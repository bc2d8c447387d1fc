import type { AttackSummary } from "./summary.js";

/** A finished run, or one of several. */
interface Finished {
  readonly name?: string;
  readonly summary: Pick<AttackSummary, "samples" | "errors">;
}

/**
 * What a build server is told where samples could not be attacked: their numbers are missing, so that a bound is held against fewer. Undefined where all
 * could be.
 *
 * @param runs where several, with their names.
 */
export function failedSamples(runs: readonly Finished[]): string | undefined {
  const failed = runs.filter(({ summary }) => summary.errors.length > 0);
  if (failed.length === 0) return undefined;
  const count = failed.reduce((n, { summary }) => n + summary.errors.length, 0);
  const all = failed.reduce((n, { summary }) => n + summary.errors.length + summary.samples, 0);
  const [first] = failed as [Finished];
  const where = runs.length === 1 ? "" : ` in ${failed.length} of ${runs.length} runs`;
  const which = first.name === undefined || runs.length === 1 ? "" : `${first.name}: `;
  const { sample, error } = first.summary.errors[0]!;
  const said = error.includes(sample) ? error : `${sample}: ${error}`;
  return `${count} of ${all} samples${where} failed and ${count === 1 ? "is" : "are"} in no number (${count === 1 ? "" : "the first, "}${which}${said.replace(/\.$/, "")}); --allow-failed lets it pass.`;
}

import type { JobsOptions } from "bullmq";
import { z } from "zod";
import { forgottenAfter } from "./names.js";

/** Number of the form of a job; `format` in its data. */
export const jobFormat = 1;

/** What a job in the queue holds: data, never code. The cell is checked by `readCell`, which knows its form. */
const jobSchema = z.strictObject({
  format: z.literal(jobFormat),
  version: z.string(),
  sweep: z.string().regex(/^\w+$/),
  cell: z.unknown(),
});
export type JobData = z.infer<typeof jobSchema>;

/**
 * Reads a job as it came out of the queue.
 *
 * @returns why this program does not do it, in a sentence, where it does not.
 */
export function readJob(data: unknown, version: string): JobData | string {
  const { format, version: theirs } = (typeof data === "object" && data !== null ? data : {}) as Partial<Record<string, unknown>>;
  if (format !== jobFormat || theirs !== version)
    return `the job is of Faultline ${String(theirs ?? "unknown")} (form ${String(format ?? "unknown")}), and this is ${version} (form ${jobFormat}); a worker of that version can do it.`;
  const job = jobSchema.safeParse(data);
  return job.success ? job.data : `the job is damaged (${job.error.issues[0]?.path.join(".")}: ${job.error.issues[0]?.message}).`;
}

/** The name of a cell's job: put in twice, it is there once. */
export const jobId = (sweep: string, key: string): string => `${sweep}-${key}`;

/** How often a job is tried where something of the machine's goes wrong (a disk is full, a process dies). */
export const patience: JobsOptions = {
  attempts: 3,
  backoff: { type: "fixed", delay: 2000 },
  removeOnComplete: true,
  removeOnFail: { age: forgottenAfter },
  stackTraceLimit: 1,
};

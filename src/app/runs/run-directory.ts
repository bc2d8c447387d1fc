import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { differences } from "./differences.js";
import { RunError } from "./error.js";
import { makeFolder, removeEmpty } from "./folders.js";
import { releaseLock, takeLock } from "./lock.js";

/** A line of records.jsonl: what came of one sample, or why nothing did. */
export interface RunRecord {
  /** Position in the data set; records are in this order. */
  readonly index: number;
  readonly sample: string;
  /** Present where the sample failed; the run goes on. */
  readonly error?: string;
  /** Present where a failed sample is to be tried again when the run is resumed (a full disk). */
  readonly retry?: true;
}

/**
 * A run as a directory: `run.json` (the resolved plan), `records.jsonl` (one line for each finished sample), `images/`, `summary.json`, `report.html`.
 *
 * Opening an existing directory with the same plan resumes it; with another plan it is refused. Nothing in it depends on the clock, so a run that
 * was interrupted and resumed has the bytes of one that was not.
 */
export class RunDirectory<R extends RunRecord> {
  private constructor(
    readonly path: string,
    readonly plan: unknown,
    /** Finished samples, in order. */
    readonly records: R[],
    private readonly descriptor: number,
    /** Folders that were not there before, the outermost first. */
    private readonly made: readonly string[],
  ) {}

  /**
   * @param plan everything that determines the result, as JSON.
   * @param options.folders what is made inside. @param options.identity what of a plan decides whether a run goes on; default: all of it.
   * @throws RunError when another process writes the directory, or it holds a run with another plan, or files that are of no run.
   */
  static open<R extends RunRecord, P = unknown>(
    path: string,
    plan: P,
    {
      folders = ["images"],
      identity = (p) => p,
    }: { readonly folders?: readonly string[]; readonly identity?: (plan: P) => unknown } = {},
  ): RunDirectory<R> {
    refuseForeign(path);
    const made = [path, ...folders.map((folder) => join(path, folder))].flatMap(makeFolder);
    lock(path);
    try {
      const text = `${JSON.stringify(plan, undefined, 2)}\n`;
      const planFile = join(path, "run.json");
      const file = join(path, "records.jsonl");
      const before = existsSync(planFile) ? readFileSync(planFile, "utf8") : undefined;
      // A run that came to nothing (a slip in the command) does not stand in the way of the next.
      const deciding = (of: P): unknown => JSON.parse(JSON.stringify(identity(of)));
      const begun = existsSync(file) && statSync(file).size > 0;
      const other =
        begun && before !== undefined && before !== text
          ? differences(deciding(planIn(before, path, (plan as { command?: unknown }).command) as P), deciding(plan))
          : [];
      if (other.length > 0)
        throw new RunError(
          `${path} holds a run with other settings (${few(other)}); name another directory with --out, or repeat the command that made it.`,
        );
      if (before !== text) writeWhole(planFile, text);
      const all = existsSync(file) ? readRecords<R>(file) : [];
      const records = all.filter((r) => !r.retry);
      if (records.length < all.length) writeWhole(file, linesOf(records));
      return new RunDirectory<R>(path, plan, records, openSync(file, "a"), made);
    } catch (error) {
      releaseLock(lockOf(path));
      removeEmpty(made);
      throw error;
    }
  }

  has(index: number): boolean {
    return this.records.some((r) => r.index === index);
  }

  /** Appends records: they are on disk when this returns, all of them or, after an error, none (after a crash, a prefix). */
  append(records: readonly R[]): void {
    const { size } = fstatSync(this.descriptor);
    try {
      appendFileSync(this.descriptor, linesOf(records));
      fsyncSync(this.descriptor);
    } catch (error) {
      ftruncateSync(this.descriptor, size);
      if (error instanceof Error) Object.assign(error, { path: join(this.path, "records.jsonl") });
      throw error;
    }
    this.records.push(...records);
  }

  /** Puts the records in the order of their indices, which they lose where failed samples were tried again. */
  sort(): void {
    const sorted = this.records.every((r, i) => i === 0 || this.records[i - 1]!.index < r.index);
    if (sorted) return;
    this.records.sort((a, b) => a.index - b.index);
    this.write("records.jsonl", linesOf(this.records));
  }

  /** Writes a file of the run whole: it is either there complete or not at all. */
  write(name: string, content: string | Uint8Array): void {
    writeWhole(join(this.path, name), content);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    closeSync(this.descriptor);
    releaseLock(lockOf(this.path));
  }
  #state: "open" | "closed" = "open";

  /** Closes a run that failed; where it has come to nothing (no sample is done), what was made for it goes too. */
  abandon(): void {
    this.close();
    if (this.records.some((r) => r.error === undefined)) return;
    const files = readdirSync(this.path, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
    if (files.some(({ name, parentPath }) => parentPath !== this.path || !ofEveryRun.includes(name))) return;
    for (const name of ofEveryRun) rmSync(join(this.path, name), { force: true });
    removeEmpty(this.made);
  }
}

/**
 * A run never mixes with what it has not written: a data set in the same folder would lose its `images/`.
 *
 * @throws RunError where a directory without run.json holds anything else.
 */
export function refuseForeign(path: string): void {
  if (!existsSync(path) || !statSync(path).isDirectory() || existsSync(join(path, "run.json"))) return;
  const foreign = readdirSync(path, { withFileTypes: true }).filter(
    (entry) =>
      !/^\.|^lock$|\.part$/.test(entry.name) && !(entry.isDirectory() && readdirSync(join(path, entry.name)).length === 0),
  );
  if (foreign.length === 0) return;
  const names = foreign.slice(0, 3).map(({ name }) => name);
  throw new RunError(
    `${path} holds other files (${names.join(", ")}${foreign.length > 3 ? ", ..." : ""}); name a new or empty directory with --out.`,
  );
}

const ofEveryRun: readonly string[] = ["run.json", "records.jsonl"];

/**
 * The complete records of a records.jsonl. A last line that a crash cut short is removed from the file.
 *
 * @throws RunError for a damaged line before the last.
 */
export function readRecords<R extends RunRecord>(file: string, torn: "remove" | "ignore" = "remove"): R[] {
  const bytes = readFileSync(file);
  const end = bytes.lastIndexOf(10) + 1;
  if (end < bytes.length && torn === "remove") truncateSync(file, end);
  const lines = bytes.subarray(0, end).toString("utf8").split("\n").slice(0, -1);
  return lines.map((line, i) => {
    try {
      return JSON.parse(line) as R;
    } catch {
      throw new RunError(`${file}, line ${i + 1} is damaged; remove the lines from there on to redo their samples.`);
    }
  });
}

const linesOf = (records: readonly RunRecord[]): string => records.map((r) => `${JSON.stringify(r)}\n`).join("");

function writeWhole(file: string, content: string | Uint8Array): void {
  const partial = `${file}.part`;
  try {
    writeFileSync(partial, content);
  } catch (error) {
    rmSync(partial, { force: true });
    // Node names no file where the disk is full.
    if (error instanceof Error) Object.assign(error, { path: file });
    throw error;
  }
  renameSync(partial, file);
}

function lock(path: string): void {
  const file = lockOf(path);
  const holder = takeLock(file);
  if (holder)
    throw new RunError(
      `${path} is being written by another process (${holder.pid ?? "unknown"} on ${holder.host ?? "an unknown machine"}); wait for it, or remove ${file} if it is gone.`,
    );
}

const lockOf = (path: string): string => join(path, "lock");

/** The plan that a run.json holds. @throws RunError where it is damaged, or of another command. */
function planIn(text: string, path: string, command: unknown): unknown {
  let read: { readonly command?: unknown };
  try {
    read = JSON.parse(text);
  } catch {
    throw new RunError(`${join(path, "run.json")} is damaged; name another directory with --out.`);
  }
  if (read.command !== command)
    throw new RunError(`${path} holds a run of faultline ${String(read.command)}; name another directory with --out.`);
  return read;
}

const few = (phrases: readonly string[]): string =>
  `${phrases.slice(0, 4).join("; ")}${phrases.length > 4 ? `; and ${phrases.length - 4} more` : ""}`;

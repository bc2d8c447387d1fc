import { flagOf } from "../attack/flag-of.js";
import { culprit } from "../plugins/blame.js";

/** A mistake in what the user typed or wrote: one sentence, no stack. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * What the user is told of an error: the message of our own errors and of the file system's; anything else is a defect, of a module that
 * --plugin named or of ours, and says so, with its stack where FAULTLINE_DEBUG is set. Parameters of attacks are named as they are typed, --step-size; functions, fitAttack(), keep their names.
 */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (process.env.FAULTLINE_DEBUG) return error.stack ?? error.message;
  const system = error as NodeJS.ErrnoException;
  if (system.code && fileSystem[system.code]) return `${system.path ?? "A file"}: ${fileSystem[system.code]}`;
  if (error.name === "AbortError") return "stopped.";
  if (error.name === "AttackError") return error.message.replaceAll(/\b[a-z]+(?:[A-Z][a-z]+)+\b(?!\()/g, flagOf);
  if (error.constructor !== Error && !builtIn.has(error.constructor.name)) return error.message;
  const module = culprit(error);
  if (module) return `--plugin ${module}: ${error.name}: ${error.message} (set FAULTLINE_DEBUG=1 to see the whole stack)`;
  return `unexpected error: ${error.message} (set FAULTLINE_DEBUG=1 to see where; this is a defect worth reporting)`;
}

const builtIn = new Set(["TypeError", "RangeError", "ReferenceError", "SyntaxError"]);
const fileSystem: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder.",
  EACCES: "permission denied.",
  EISDIR: "is a folder, a file was expected.",
  ENOTDIR: "is not a folder.",
  EEXIST: "exists already.",
  EPERM: "the system does not permit it.",
  ELOOP: "is a link that leads to itself.",
  ENAMETOOLONG: "the name is too long.",
  EMFILE: "too many files are open.",
  EIO: "the disk could not read or write it.",
  EDQUOT: "no more is allowed on this disk.",
  ENOSPC: "the disk is full.",
  EROFS: "the file system is read-only.",
};

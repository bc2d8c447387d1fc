import { RunError } from "./error.js";

/**
 * Refuses a run.json where a file of another kind is wanted: both are JSON, and lie about each other's folders.
 *
 * @param wanted what is: "a configuration of a training".
 * @throws RunError
 */
export function refuseRecord(value: unknown, path: string, wanted: string): void {
  const { command, version } = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  if (typeof command !== "string" || typeof version !== "string") return;
  const inside = command === "train" || command === "sensor train" ? ` (what it trained stands in its field "config")` : "";
  throw new RunError(
    `${path} is the record of a run of faultline ${command}${inside}, and ${wanted} is wanted here; the run itself goes on when its command is repeated.`,
  );
}

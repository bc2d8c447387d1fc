import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { externalLocations } from "../../engine/onnx/read-file.js";
import type { Places } from "../attack/places.js";
import { isMade } from "../data/open-data.js";
import { download, isUrl, shownUrl } from "../queue/download.js";
import { PlanError, type SweepPlan } from "./plan-file.js";

/** Where files from addresses are kept, for all sweeps of a user. */
const fetchedFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "faultline", "files");

/**
 * Where on this machine what a plan names lies: paths are relative to its folder, files with an address are brought here, and scenes that are made lie nowhere.
 *
 * @param say is told of what is brought.
 * @throws PlanError for an address with a password in it: it would stand in every result. DownloadError.
 */
export async function fetchedPlaces(plan: SweepPlan, folder: string, say: (text: string) => void): Promise<Places> {
  const entries = [plan.models, [plan.data].flat()].flatMap((list, i) =>
    list.map((e) => ({ ...(typeof e === "string" ? { path: e } : e), isModel: i === 0 })),
  );
  const fetched = new Map<string, string>();
  for (const { path, sha256, isModel } of entries) {
    if (!isUrl(path)) {
      if (sha256 !== undefined)
        throw new PlanError(`${path}: sha256 goes with an address (https://...); a file's own hash is part of its cells anyway.`);
      continue;
    }
    if (fetched.has(path)) continue;
    const { username, password } = new URL(path);
    if (username !== "" || password !== "")
      throw new PlanError(
        `${shownUrl(path)}: the plan has a user or password for it, which would stand in all results; leave them out.`,
      );
    const kept = fetchedFolder();
    say(`${shownUrl(path)}: kept in ${kept}\n`);
    const { path: file } = await download(path, { sha256, folder: kept });
    if (isModel) demandWhole(path, file);
    fetched.set(path, file);
  }
  return (named) => fetched.get(named) ?? (isMade(named) ? named : resolve(folder, named));
}

/**
 * An address stands for one file, under one hash, on every machine that does a cell.
 *
 * @throws PlanError where the model keeps weights in others.
 */
function demandWhole(address: string, file: string): void {
  const beside = externalLocations(file);
  if (beside.length === 0) return;
  const named = beside.length > 3 ? `${beside.slice(0, 3).join(", ")} and ${beside.length - 3} more` : beside.join(", ");
  throw new PlanError(
    `${shownUrl(address)} keeps its weights beside itself, in ${named}, and an address brings one file; download all of them into one folder, and write the model's path in the plan.`,
  );
}

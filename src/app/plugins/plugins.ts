import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { attacks as catalogue } from "../../methods/attacks/catalogue/index.js";
import type { AttackDefinition } from "../../methods/attacks/definition.js";
import type { TaskLoss } from "../../methods/attacks/task-loss.js";
import type { Task } from "../../vision/tasks/index.js";
import { watch } from "./blame.js";
import { hashModule } from "./hash-module.js";
import { resolveFaultline, whyNotFound } from "./resolve-faultline.js";

/** A module of somebody's own that cannot be used: one sentence. */
export class PluginError extends Error {
  override readonly name = "PluginError";
}

/** A module as a plan names it. */
export interface PluginFile {
  readonly path: string;
  /** Of the module and what it imports by relative paths (`hashModule`). */
  readonly sha256: string;
}

/** What can be named: the library's attacks and those of the loaded modules, and the modules' losses. */
export interface Plugins {
  readonly files: readonly PluginFile[];
  readonly attacks: Readonly<Record<string, AttackDefinition>>;
  readonly losses: readonly TaskLoss[];
}

export const noPlugins: Plugins = { files: [], attacks: catalogue, losses: [] };

/**
 * Loads modules whose default export is an attack definition, a loss for a task, or a list of them.
 *
 * @throws PluginError for a module that is not there, throws, exports something else, or takes a name that is taken.
 * @example
 * const { attacks } = await loadPlugins(["./my-attack.mjs"]);
 */
export async function loadPlugins(paths: readonly string[] = []): Promise<Plugins> {
  let all = noPlugins;
  for (const path of paths) {
    const exported = await exportsOf(path);
    all = { ...all, files: [...all.files, { path, sha256: await hashModule(path) }] };
    for (const item of exported) all = withItem(all, item, path);
  }
  return all;
}

/**
 * Loads the modules that a run was made with.
 *
 * @param elsewhere where modules may lie that have been moved since.
 * @throws PluginError where one is not there any more, or is another.
 */
export async function reloadPlugins(files: readonly PluginFile[] = [], elsewhere: readonly string[] = []): Promise<Plugins> {
  const found: string[] = [];
  for (const { path, sha256 } of files) {
    const candidates = [path, ...elsewhere].filter((p) => existsSync(p));
    if (candidates.length === 0)
      throw new PluginError(`The run was made with ${path}, which is not there any more; say with --plugin where it is.`);
    const hashes = await Promise.all(candidates.map(hashModule));
    const same = candidates[hashes.indexOf(sha256)];
    if (same === undefined)
      throw new PluginError(
        `${candidates.at(-1)} is not the module that the run was made with: its SHA-256 (or that of a file it imports) differs from run.json's. Bring the old one back, or run the attack again.`,
      );
    found.push(same);
  }
  return loadPlugins(found);
}

/** A task with the losses that modules add to it. */
export function taskWith(task: Task, { losses }: Pick<Plugins, "losses">): Task {
  const own = losses.filter((loss) => loss.task === task.name);
  return own.length === 0
    ? task
    : { ...task, losses: { ...task.losses, ...Object.fromEntries(own.map(({ name, loss }) => [name, loss])) } };
}

async function exportsOf(path: string): Promise<readonly unknown[]> {
  if (!existsSync(path)) throw new PluginError(`--plugin ${path}: there is no such file.`);
  if (statSync(path).isDirectory())
    throw new PluginError(`--plugin ${path}: this is a folder; name the module in it, such as ${join(path, "my-attack.mjs")}.`);
  resolveFaultline();
  watch(path);
  let module: { readonly default?: unknown };
  try {
    module = await import(pathToFileURL(resolve(path)).href);
  } catch (error) {
    throw new PluginError(`--plugin ${path}: the module cannot be loaded: ${whyNotFound(error) ?? firstLine(error)}`);
  }
  if (module.default === undefined)
    throw new PluginError(`--plugin ${path}: there is no default export; export an attack, a loss, or a list of them.`);
  return Array.isArray(module.default) ? module.default : [module.default];
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).split("\n")[0]!;

function withItem(all: Plugins, item: unknown, path: string): Plugins {
  const wrong = (what: string) => new PluginError(`--plugin ${path}: ${what}`);
  if (isLoss(item)) {
    if (all.losses.some((l) => l.task === item.task && l.name === item.name))
      throw wrong(`the loss "${item.name}" of ${item.task} is there twice.`);
    return { ...all, losses: [...all.losses, item] };
  }
  if (!isAttack(item))
    throw wrong("what it exports is neither an attack (made by defineAttack or projectedAscent) nor a loss (made by taskLoss).");
  if (!/^[a-z][a-z0-9-]*$/.test(item.name))
    throw wrong(`"${item.name}" is no name for an attack; take small letters, digits and hyphens.`);
  if (item.name in all.attacks) throw wrong(`there is an attack "${item.name}" already; take another name.`);
  const odd = Object.keys(item.parameters.shape).find((name) => name === "name" || !/^[a-z][A-Za-z0-9]*$/.test(name));
  if (odd !== undefined) throw wrong(`"${odd}" is no name for a parameter; write it like stepSize.`);
  return { ...all, attacks: { ...all.attacks, [item.name]: item } };
}

const isLoss = (item: unknown): item is TaskLoss =>
  typeof item === "object" && item !== null && "kind" in item && item.kind === "loss";

function isAttack(item: unknown): item is AttackDefinition {
  if (typeof item !== "function") return false;
  const { name, parameters, compile, budget } = item as unknown as Partial<AttackDefinition>;
  return (
    typeof name === "string" &&
    typeof parameters?.shape === "object" &&
    typeof compile === "function" &&
    typeof budget === "function"
  );
}

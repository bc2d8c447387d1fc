import { existsSync, readFileSync } from "node:fs";
import * as loader from "node:module";
import { join } from "node:path";
import { fromSource } from "../../engine/from-source.js";

/** Runs in Node's loader: "faultline" is the copy that runs, wherever the module lies that imports it. */
const hooks = `
let own;
export function initialize(data) { own = data; }
export function resolve(specifier, context, next) {
  return specifier === "faultline" ? next(own.index, { ...context, parentURL: own.parent }) : next(specifier, context);
}`;

let registered = false;

/**
 * Makes `import ... from "faultline"` in a module of somebody's own mean this very copy. A module outside any project would find none, and one that
 * found another copy would build graphs that this one does not know.
 */
export function resolveFaultline(): void {
  // Before Node 20.6 there are no such hooks: modules then find the copy that is installed beside them.
  if (registered || typeof loader.register !== "function") return;
  registered = true;
  const parent = import.meta.url;
  loader.register(`data:text/javascript,${encodeURIComponent(hooks)}`, {
    data: { parent, index: new URL(fromSource ? "../../index.js" : "./index.js", parent).href },
  });
}

/**
 * Why a module's import of "faultline" found nothing, and what to do; undefined where the error is another.
 *
 * @param error what `import()` of the module threw.
 * @example whyNotFound(error); // "Faultline in /home/me/faultline is not built: run `npm run build` there first"
 */
export function whyNotFound(error: unknown): string | undefined {
  const { code, message = "" } = error as NodeJS.ErrnoException;
  if (code !== "ERR_MODULE_NOT_FOUND") return undefined;
  if (message.startsWith("Cannot find package 'faultline'"))
    return `Node ${process.version} finds "faultline" only where it is installed beside the module: install it there, or take Node 20.6 or newer, which needs no copy`;
  const folder = /^Cannot find module '(.+)[\\/]dist[\\/][^']+\.js'/.exec(message)?.[1];
  return folder !== undefined && isFaultline(folder)
    ? `Faultline in ${folder} is not built: run \`npm run build\` there first`
    : undefined;
}

function isFaultline(folder: string): boolean {
  const manifest = join(folder, "package.json");
  return existsSync(manifest) && (JSON.parse(readFileSync(manifest, "utf8")) as { name?: string }).name === "faultline";
}

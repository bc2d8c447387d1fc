import * as loader from "node:module";

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
    data: { parent, index: new URL("../../index.js", parent).href },
  });
}

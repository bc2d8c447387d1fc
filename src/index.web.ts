/** The library in the browser: nothing here imports a module of Node. */
export { createEngine, type WebEngineOptions } from "./engine/runtime/web.js";
export * from "./library.js";
export { loadModel } from "./vision/model/web.js";

import { connect, type WorkerEvents, type WorkerPort } from "./client.js";
import type { Engine, EngineOptions } from "./engine.js";
import type { Reply } from "./protocol.js";

export interface WebEngineOptions extends EngineOptions {
  /** Starts the worker script `runtime/web-worker.js`, where the bundler does not do so from `new Worker(new URL(...))` itself. */
  readonly worker?: () => Worker;
  /** Address of the folder with ONNX Runtime's `ort-wasm-*.mjs` and `.wasm` files; default: beside the worker's script. */
  readonly wasm?: string;
}

/**
 * Starts ONNX Runtime for the web in a Web Worker. Several threads need a page that is cross-origin isolated (response headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`); elsewhere one is used and `info.note` says so.
 *
 * @throws EngineError when the provider is neither `wasm` nor `webgpu`, or the browser has no WebGPU adapter.
 * @example
 * const engine = await createEngine({ provider: "webgpu", wasm: "/onnxruntime/" });
 */
export function createEngine(options: WebEngineOptions = {}): Promise<Engine> {
  const isolated = globalThis.crossOriginIsolated;
  const wanted = options.threads ?? defaultThreads(navigator.hardwareConcurrency);
  const note =
    !isolated && wanted > 1
      ? "One thread: the page is not cross-origin isolated (headers Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy)."
      : undefined;
  const start = {
    provider: options.provider ?? ("wasm" as const),
    threads: isolated ? wanted : 1,
    ...(options.wasm !== undefined && { wasm: new URL(options.wasm, location.href).href }),
  };
  const open = options.worker ?? (() => new Worker(new URL("./web-worker.js", import.meta.url), { type: "module" }));
  return connect((events) => openWorker(open(), events), start, options, { note });
}

function openWorker(worker: Worker, { reply, died }: WorkerEvents): WorkerPort {
  worker.onmessage = ({ data }: MessageEvent<Reply>) => reply(data);
  worker.onerror = (event) => died(event.message || "its script could not be loaded");
  return {
    send: (request, transfer) => worker.postMessage(request, transfer),
    hold: () => {},
    terminate: async () => worker.terminate(),
  };
}

/** Browsers count logical processors: beyond four, about half are cores of their own. */
function defaultThreads(logical: number): number {
  return logical <= 4 ? logical : Math.max(4, Math.min(8, Math.floor(logical / 2)));
}

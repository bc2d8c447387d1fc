import type { Provider } from "./engine.js";
import { Host, type OrtModule } from "./host.js";
import type { Request } from "./protocol.js";

const scope = self as unknown as DedicatedWorkerGlobalScope;

/** The WebGPU build of the WebAssembly file is twice as large and slower on the CPU: each provider loads its own. */
const runtimeFor = (provider: Provider): Promise<OrtModule> =>
  provider === "webgpu" ? import("onnxruntime-web/webgpu") : import("onnxruntime-web/wasm");

// ONNX Runtime starts its threads as workers of this name, from the script that it lies in itself. Where a bundler has put all in one file, as
// Vite does unless told otherwise, that is this script: it must become such a thread, of the same build, by loading it.
const threadName = "em-pthread";

if (scope.name.startsWith(threadName)) {
  void runtimeFor(scope.name.endsWith("webgpu") ? "webgpu" : "wasm");
} else {
  const host = new Host({
    residents: "runtime memory",
    async load({ provider, threads, wasm }) {
      if (provider === "webgpu" && !(await gpuAdapter())) {
        throw new Error("This browser offers no WebGPU adapter; choose the provider wasm, or a browser and machine with WebGPU");
      }
      nameThreads(provider);
      const ort = await runtimeFor(provider);
      ort.env.wasm.numThreads = threads;
      if (wasm !== undefined) ort.env.wasm.wasmPaths = wasm;
      return { ort, runtime: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`, threads };
    },
  });
  scope.onmessage = ({ data }: MessageEvent<Request>) =>
    host.handle(data, (reply, transfer) => scope.postMessage(reply, transfer));
}

/** Puts the provider into the names of the threads. */
function nameThreads(provider: Provider): void {
  const Plain = globalThis.Worker;
  globalThis.Worker = class extends Plain {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options?.name === threadName ? { ...options, name: `${threadName}-${provider}` } : options);
    }
  };
}

async function gpuAdapter(): Promise<unknown> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  return (await gpu?.requestAdapter()) ?? undefined;
}

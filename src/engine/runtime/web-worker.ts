import { Host, type OrtModule } from "./host.js";
import type { Request } from "./protocol.js";

const scope = self as unknown as DedicatedWorkerGlobalScope;

const host = new Host({
  residents: "runtime memory",
  async load({ provider, threads, wasm }) {
    if (provider === "webgpu" && !(await gpuAdapter())) {
      throw new Error("This browser offers no WebGPU adapter; choose the provider wasm, or a browser and machine with WebGPU");
    }
    // The WebGPU build of the WebAssembly file is twice as large and slower on the CPU: each provider loads its own.
    const ort: OrtModule = provider === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
    ort.env.wasm.numThreads = threads;
    if (wasm !== undefined) ort.env.wasm.wasmPaths = wasm;
    return { ort, runtime: `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}`, threads };
  },
});

async function gpuAdapter(): Promise<unknown> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  return (await gpu?.requestAdapter()) ?? undefined;
}

scope.onmessage = ({ data }: MessageEvent<Request>) => host.handle(data, (reply, transfer) => scope.postMessage(reply, transfer));

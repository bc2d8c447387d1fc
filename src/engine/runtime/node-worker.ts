import { parentPort } from "node:worker_threads";
import { Host } from "./host.js";
import type { Request } from "./protocol.js";

const host = new Host({
  residents: "arrays",
  async load({ provider, threads }) {
    const ort = await import("onnxruntime-node").catch((error: unknown) => {
      throw new Error(whyMissing(error));
    });
    // Every failure comes as an exception, which becomes one sentence; ONNX Runtime would print it as well.
    ort.env.logLevel = "fatal";
    const known = ort.listSupportedBackends().map((b) => b.name);
    if (!known.includes(provider)) {
      throw new Error(
        `Execution provider "${provider}" is not part of ONNX Runtime on ${process.platform}-${process.arch}; choose one of ${known.join(", ")}`,
      );
    }
    return { ort, runtime: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`, threads };
  },
});

/** Why the package onnxruntime-node, or the binary in it, cannot be loaded, and what to do. */
function whyMissing(error: unknown): string {
  const { code, message = "" } = error as NodeJS.ErrnoException;
  const place = `${process.platform}-${process.arch}`;
  const install = "ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node";
  const [line] = message.split("\n");
  if (code === "ERR_DLOPEN_FAILED")
    return `The binary of onnxruntime-node does not load on this ${place} machine (${line}); it needs a system with glibc, or the browser's build of Faultline`;
  if (/Cannot find (package|module) '?onnxruntime-node/.test(message))
    return `The package onnxruntime-node is not installed; install it with ${install}`;
  if (code === "MODULE_NOT_FOUND" && message.includes("onnxruntime_binding.node"))
    return `The package onnxruntime-node has no binary for ${place} (onnxruntime_binding.node is missing): its installation was cut short, or it has none for this platform; install it again with ${install}`;
  return `onnxruntime-node cannot be loaded: ${line}`;
}

parentPort!.on("message", (request: Request) =>
  host.handle(request, (reply, transfer) => parentPort!.postMessage(reply, transfer)),
);

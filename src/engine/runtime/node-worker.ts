import { parentPort } from "node:worker_threads";
import * as ort from "onnxruntime-node";
import { Host } from "./host.js";
import type { Request } from "./protocol.js";

// Every failure comes as an exception, which becomes one sentence; ONNX Runtime would print it as well.
ort.env.logLevel = "fatal";

const host = new Host({
  residents: "arrays",
  async load({ provider, threads }) {
    const known = ort.listSupportedBackends().map((b) => b.name);
    if (!known.includes(provider)) {
      throw new Error(
        `Execution provider "${provider}" is not part of ONNX Runtime on ${process.platform}-${process.arch}; choose one of ${known.join(", ")}`,
      );
    }
    return { ort, runtime: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common}`, threads };
  },
});

parentPort!.on("message", (request: Request) =>
  host.handle(request, (reply, transfer) => parentPort!.postMessage(reply, transfer)),
);

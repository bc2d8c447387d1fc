import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { connect, type WorkerEvents, type WorkerPort } from "./client.js";
import type { Engine, EngineOptions } from "./engine.js";
import type { Reply } from "./protocol.js";

/**
 * Starts ONNX Runtime for Node in a worker thread.
 *
 * @throws EngineError when the provider is not part of the platform's ONNX Runtime, or its libraries or device are missing.
 * @example
 * await using engine = await createEngine({ provider: "cpu", threads: 4 });
 */
export function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const start = { provider: options.provider ?? "cpu", threads: options.threads ?? physicalCores() };
  return connect(openWorker, start, options, undefined);
}

function openWorker({ reply, died }: WorkerEvents): WorkerPort {
  const worker = startWorker();
  worker.on("message", (message: Reply) => reply(message));
  worker.on("error", (error) => died(error instanceof Error ? error.message : String(error)));
  worker.on("exit", (code) => died(`exit code ${code}`));
  return {
    send: (request, transfer) => worker.postMessage(request, transfer),
    hold: (pending) => (pending ? worker.ref() : worker.unref()),
    terminate: async () => {
      worker.ref();
      await worker.terminate();
    },
  };
}

function startWorker(): Worker {
  const fromSource = import.meta.url.endsWith(".ts");
  return new Worker(new URL(fromSource ? "./node-worker-source.mjs" : "./node-worker.js", import.meta.url), { execArgv: [] });
}

/** Two threads on one core share its arithmetic units: ONNX Runtime gains nothing from the second. */
function physicalCores(): number {
  const usable = availableParallelism();
  if (process.platform === "linux") {
    const cores = new Set(linuxCores());
    return cores.size > 0 ? Math.min(cores.size, usable) : usable;
  }
  return process.arch === "x64" ? Math.max(1, Math.floor(usable / 2)) : usable;
}

/** `package:core` of each logical processor; empty where the kernel does not say. */
function linuxCores(): string[] {
  const packages: string[] = [];
  const cores: string[] = [];
  for (const line of readFileSync("/proc/cpuinfo", "utf8").split("\n")) {
    const [key, value] = line.split(":").map((s) => s.trim());
    if (key === "physical id") packages.push(value ?? "");
    if (key === "core id") cores.push(value ?? "");
  }
  return cores.map((core, i) => `${packages[i]}:${core}`);
}

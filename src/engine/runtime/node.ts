import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { fromSource } from "../from-source.js";
import type { Chunks } from "../onnx/chunks.js";
import { writeChunks } from "../onnx/write-file.js";
import { connect, type WorkerEvents, type WorkerPort } from "./client.js";
import { type Engine, EngineError, type EngineOptions } from "./engine.js";
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
  return connect(openWorker, start, options, { shelve });
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
  return new Worker(new URL(fromSource ? "./node-worker-source.mjs" : "./node-worker.js", import.meta.url), { execArgv: [] });
}

/**
 * Files of a model in the system's temporary folder. They are removed as soon as the session is made: it has mapped what it needs. Where the
 * system keeps mapped files in use (Windows), they are left to it.
 */
async function shelve(files: ReadonlyMap<string, Chunks>) {
  let folder: string | undefined;
  const remove = async () => {
    if (folder) await rm(folder, { recursive: true, force: true }).catch(() => {});
  };
  try {
    const made = await mkdtemp(join(tmpdir(), "faultline-"));
    folder = made;
    const path = (name: string) => join(made, name);
    for (const [name, chunks] of files) await writeChunks(path(name), chunks);
    return { path, remove };
  } catch (error) {
    await remove();
    const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    throw new EngineError(
      `The model's weights (${(bytes / 1e9).toFixed(1)} GB) cannot be written to the temporary folder ${tmpdir()} (${(error as NodeJS.ErrnoException).code ?? String(error)}); set TMPDIR to a folder with room for them.`,
    );
  }
}

/** Two threads on one core share its arithmetic units: ONNX Runtime gains nothing from the second. */
export function physicalCores(): number {
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

import { Graph } from "../graph/graph.js";
import type { OnnxModel, ValueInfo } from "../onnx/model.js";
import { copyOf, describe, type Tensor } from "../tensor/tensor.js";
import {
  type CompilableModel,
  type CompileOptions,
  type DeviceTensor,
  type Engine,
  EngineError,
  type EngineInfo,
  type EngineOptions,
  type Feeds,
  type ModelFile,
  type Program,
  type Provider,
  type RunOptions,
} from "./engine.js";
import { checkFeeds, checkOutputs } from "./feeds.js";
import { type HandOver, type HandOverOptions, handOver, handOverBytes, type Shelve, weightsAsFeeds } from "./hand-over.js";
import { ownName, sentName, withSentNames } from "./output-names.js";
import { ProgramCache } from "./program-cache.js";
import type { CallKind, Calls, CompileAnswer, CompileRequest, Reply, Request, ResidentTensor, StartRequest } from "./protocol.js";
import { SpareArrays } from "./spare-arrays.js";

/** A started worker, in Node or the browser. */
export interface WorkerPort {
  send(request: Request, transfer: ArrayBuffer[]): void;
  /** Calls are pending: keep the process alive (`true`), or let it end (`false`). */
  hold(pending: boolean): void;
  terminate(): Promise<void>;
}

/** What a worker tells: replies, and that it died and why. */
export interface WorkerEvents {
  reply(reply: Reply): void;
  died(reason: string): void;
}

/** Starts the worker and waits until ONNX Runtime is loaded in it. */
export async function connect(
  open: (events: WorkerEvents) => WorkerPort,
  start: StartRequest,
  options: EngineOptions,
  { note, shelve }: { readonly note?: string | undefined; readonly shelve?: Shelve } = {},
): Promise<Engine> {
  if (!Number.isSafeInteger(start.threads) || start.threads < 1) {
    throw new EngineError(`The number of threads is a whole number of at least 1, not ${start.threads}.`);
  }
  const calls = new WorkerCalls(open);
  try {
    const { runtime, threads, placesOutputs } = await calls.call("start", start);
    const { provider } = start;
    const info = { provider, runtime, threads, optimization: options.optimization ?? "all", ...(note && { note }) };
    const handing = { inlineWeights: options.inlineWeights ?? 2 ** 30, shelve, placesOutputs };
    const engine = new WorkerEngine(calls, info, handing, options.cache ?? { programs: 8, bytes: 256 * 2 ** 20 });
    if (provider !== "cpu" && provider !== "wasm") await engine.tryProvider();
    return engine;
  } catch (error) {
    await calls.dispose();
    throw error;
  }
}

/** Numbers the calls, and rejects the pending ones when the worker dies or the engine is disposed. */
class WorkerCalls {
  readonly spares = new SpareArrays();
  readonly #port: WorkerPort;
  readonly #pending = new Map<number, { resolve(answer: never): void; reject(error: EngineError): void }>();
  #lastId = 0;
  #closed: string | undefined;

  constructor(open: (events: WorkerEvents) => WorkerPort) {
    this.#port = open({
      reply: (reply) => {
        // A late answer must not let the process end while the worker is being terminated.
        if (this.#closed !== undefined) return;
        const call = this.#pending.get(reply.id);
        this.#pending.delete(reply.id);
        if (this.#pending.size === 0) this.#port.hold(false);
        if ("error" in reply) call?.reject(new EngineError(reply.error));
        else call?.resolve(reply.answer as never);
      },
      died: (reason) =>
        this.#close(`The engine's worker died (${reason}); create a new engine, with smaller inputs if memory ran out.`),
    });
  }

  call<K extends CallKind>(kind: K, request: Calls[K]["request"], transfer: ArrayBuffer[] = []): Promise<Calls[K]["answer"]> {
    if (this.#closed !== undefined) return Promise.reject(new EngineError(this.#closed));
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      this.#port.hold(true);
      this.#port.send({ id, kind, request } as Request, transfer);
    });
  }

  /** A call whose outcome nobody waits for: it has nothing left to free when the worker is gone. */
  tell(kind: "release" | "free", request: Calls["release"]["request"] | Calls["free"]["request"]): void {
    this.call(kind, request as Calls["release"]["request"]).catch(() => {});
  }

  async dispose(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#close("The engine is disposed; create a new one.");
    await this.#port.terminate();
  }

  #close(sentence: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = sentence;
    for (const { reject } of this.#pending.values()) reject(new EngineError(sentence));
    this.#pending.clear();
    this.#port.hold(false);
  }
}

type Settings = Pick<CompileRequest, "provider" | "optimization" | "prepacking">;

class WorkerEngine implements Engine {
  readonly #cache: ProgramCache;

  constructor(
    readonly calls: WorkerCalls,
    readonly info: EngineInfo,
    readonly handing: HandOverOptions,
    limits: { readonly programs: number; readonly bytes: number },
  ) {
    this.#cache = new ProgramCache(limits, (program) => calls.tell("release", { program }));
  }

  async compile(model: CompilableModel, options: CompileOptions = {}): Promise<Program> {
    const settings = {
      provider: this.info.provider,
      optimization: options.optimization ?? this.info.optimization,
      prepacking: options.prepacking ?? "on",
    } as const;
    // A file can change at any time: what was loaded from it says nothing about the next time.
    if (isFile(model)) return this.#once(await this.#loadFile(model.path, settings));
    const handed = this.#handOver(model);
    const key = `${await handed.key()} ${settings.optimization} ${settings.prepacking}`;
    const lease = this.#cache.acquire(key, handed.bytes, () => this.#load(handed, settings));
    return new WorkerProgram(this.calls, await lease.program, lease.release);
  }

  readonly evaluate = (model: Graph | OnnxModel | Uint8Array) => this.#runOnce(model, "cpu");

  /** @throws EngineError when the provider is listed but its libraries or device are missing. */
  async tryProvider(): Promise<void> {
    const { provider } = this.info;
    try {
      await this.#runOnce(trial, provider);
    } catch (error) {
      throw new EngineError(
        `Execution provider "${provider}" does not work on this machine; install its libraries and driver, or choose another one. ${(error as Error).message}`,
      );
    }
  }

  #handOver(model: Graph | OnnxModel | Uint8Array): HandOver {
    if (model instanceof Uint8Array) return handOverBytes(model);
    return handOver(withSentNames(model instanceof Graph ? model.build() : model), this.handing);
  }

  #load(handed: HandOver, settings: Settings): Promise<CompileAnswer> {
    return handed.send((model, transfer) => this.calls.call("compile", { ...model, ...settings }, transfer));
  }

  #loadFile(path: string, settings: Settings): Promise<CompileAnswer> {
    if (!this.handing.shelve)
      return Promise.reject(new EngineError(`${path}: a browser has no files; fetch the model and compile its bytes.`));
    return this.calls.call("compile", { model: path, weights: [], ...settings });
  }

  /** A program that nobody shares. */
  #once(compiled: CompileAnswer): WorkerProgram {
    return new WorkerProgram(this.calls, compiled, () => this.calls.tell("release", { program: compiled.program }));
  }

  async #runOnce(model: Graph | OnnxModel | Uint8Array, provider: Provider): Promise<Record<string, Tensor>> {
    const lean =
      model instanceof Uint8Array ? { model, feeds: {} } : weightsAsFeeds(model instanceof Graph ? model.build() : model);
    const settings = { provider, optimization: "disabled", prepacking: "off" } as const;
    const program = this.#once(await this.#load(this.#handOver(lean.model), settings));
    try {
      return await program.run(lean.feeds);
    } finally {
      program.dispose();
    }
  }

  async upload(tensor: Tensor): Promise<DeviceTensor> {
    const copy = copyOf(tensor);
    return new Resident(this.calls, await this.calls.call("upload", { tensor: copy }, [copy.data.buffer as ArrayBuffer]));
  }

  async download(tensor: DeviceTensor): Promise<Tensor> {
    return this.calls.call("download", { resident: residentOf(tensor, this.calls, "download").resident });
  }

  dispose(): Promise<void> {
    return this.calls.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

class WorkerProgram implements Program {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  #disposed = false;

  constructor(
    readonly calls: WorkerCalls,
    readonly compiled: CompileAnswer,
    readonly release: () => void,
  ) {
    this.inputs = compiled.inputs;
    this.outputs = compiled.outputs.map((output) => ({ ...output, name: ownName(output.name) }));
  }

  async run<const Kept extends string = never>(
    feeds: Feeds,
    { keep = [], only, feeds: ownership = "copied" }: RunOptions<Kept> = {},
  ): Promise<Record<string, Tensor> & Record<Kept, DeviceTensor>> {
    if (this.#disposed) throw new EngineError("The program is disposed; compile the model again.");
    const fetch = [...new Set([...(only ?? this.outputs.map((o) => o.name)), ...keep])];
    checkOutputs(this.outputs, fetch);
    checkFeeds(this.inputs, feeds);
    const transfer = new Set<ArrayBuffer>();
    const lent: string[] = [];
    // entries, for a name may be any: an assignment to __proto__ would be lost
    const sent = Object.entries(feeds).map(([name, feed]): [string, Tensor | ResidentTensor] => {
      if (feed.data === undefined) return [name, residentOf(feed, this.calls, `input "${name}"`)];
      if (ownership === "copied") lent.push(name);
      const sent = ownership === "given" ? feed : this.calls.spares.copyOf(feed);
      transfer.add(sent.data.buffer as ArrayBuffer);
      return [name, sent];
    });
    const request = {
      program: this.compiled.program,
      feeds: Object.fromEntries(sent),
      fetch: fetch.map(sentName),
      keep: keep.map(sentName),
      lent,
    };
    const { results, returned } = await this.calls.call("run", request, [...transfer]);
    this.calls.spares.keep(returned);
    return Object.fromEntries(
      Object.entries(results).map(([name, result]) => [
        ownName(name),
        "resident" in result ? new Resident(this.calls, result) : result,
      ]),
    ) as Record<string, Tensor> & Record<Kept, DeviceTensor>;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

class Resident implements DeviceTensor {
  readonly type;
  readonly shape;
  disposed = false;

  constructor(
    readonly calls: WorkerCalls,
    readonly handle: ResidentTensor,
  ) {
    this.type = handle.type;
    this.shape = handle.shape;
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.calls.tell("free", { resident: this.handle.resident });
  }
}

function residentOf(tensor: DeviceTensor, calls: WorkerCalls, where: string): ResidentTensor {
  if (!(tensor instanceof Resident) || tensor.calls !== calls) {
    throw new EngineError(
      `${where}: the tensor ${describe(tensor)} is held by another engine; download it there and feed the copy.`,
    );
  }
  if (tensor.disposed) throw new EngineError(`${where}: the tensor ${describe(tensor)} is disposed; keep it until its last use.`);
  return tensor.handle;
}

const isFile = (model: CompilableModel): model is ModelFile => "path" in model;

/** A graph of one node, for `tryProvider`. */
const trial: OnnxModel = {
  irVersion: 9,
  opset: 18,
  customOpsets: {},
  producer: "faultline",
  metadata: {},
  graph: {
    name: "trial",
    inputs: [],
    outputs: [{ name: "y", type: "float32", shape: [1] }],
    initializers: new Map([["x", { type: "float32", shape: [1], data: Float32Array.of(1) }]]),
    nodes: [{ name: "", op: "Neg", domain: "", inputs: ["x"], outputs: ["y"], attributes: {} }],
    valueInfo: new Map(),
  },
};

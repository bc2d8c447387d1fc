import type { Env, InferenceSession, InferenceSessionFactory, Tensor as OrtTensor, TensorConstructor } from "onnxruntime-common";
import type { ValueInfo } from "../onnx/model.js";
import {
  bytesPerElement,
  type DataType,
  dataTypes,
  type Shape,
  sameShape,
  sizeOf,
  type Tensor,
  tensor,
} from "../tensor/tensor.js";
import type { Provider } from "./engine.js";
import type {
  Calls,
  CompileAnswer,
  CompileRequest,
  Reply,
  Request,
  ResidentTensor,
  RunRequest,
  StartAnswer,
  StartRequest,
} from "./protocol.js";
import { hasSequence, ownOutputs, probePlacement, type RunInto } from "./run-into.js";

/** The part of onnxruntime-node and onnxruntime-web that the host uses. */
export interface OrtModule {
  readonly InferenceSession: InferenceSessionFactory;
  readonly Tensor: TensorConstructor;
  readonly env: Env;
}

/** What differs between Node and the browser inside the worker. */
export interface Platform {
  /** Loads ONNX Runtime for the provider; throws one sentence where there is no such provider. */
  load(request: StartRequest): Promise<{ ort: OrtModule; runtime: string; threads: number }>;
  /** Where kept tensors lie: in arrays of the worker, which results can be written into, or in memory of ONNX Runtime. */
  readonly residents: "arrays" | "runtime memory";
}

type Outcome<K extends keyof Calls> = { answer: Calls[K]["answer"]; transfer?: ArrayBuffer[] };

/** Disposed resident tensors kept for later outputs, at most this many bytes, the newest: fresh memory costs a page fault for every 4 KiB. */
const spareBytesLimit = 512 * 2 ** 20;

/** From so many bytes of kept outputs on it pays to write them in place: the refusal takes 10 µs, a copy of 64 KiB 10 to 29, of 1 MiB 130 to 210. */
const worthPlacing = 2 ** 16;

/** The worker's side: owns ONNX Runtime's sessions and the resident tensors, and answers one request after the other. */
export class Host {
  #ort: OrtModule | undefined;
  #provider: Provider = "cpu";
  #threads = 1;
  #runInto: RunInto | undefined;
  #lastId = 0;
  readonly #sessions = new Map<number, InferenceSession>();
  readonly #residents = new Map<number, OrtTensor>();
  /** Oldest first. */
  readonly #spare = new Set<OrtTensor>();
  #spareBytes = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(readonly platform: Platform) {}

  /** Carries the request out after all earlier ones and hands the reply, with the buffers to transfer, to `post`. Never rejects. */
  handle(request: Request, post: (reply: Reply, transfer: ArrayBuffer[]) => void): void {
    this.#queue = this.#queue.then(async () => {
      try {
        const { answer, transfer = [] } = await this.#dispatch(request);
        post({ id: request.id, answer }, transfer);
      } catch (error) {
        post({ id: request.id, error: sentence(request.kind, this.#provider, error) }, []);
      }
    });
  }

  #dispatch({ kind, request }: Request): Promise<Outcome<keyof Calls>> {
    switch (kind) {
      case "start":
        return this.#start(request);
      case "compile":
        return this.#compile(request);
      case "run":
        return this.#run(request);
      case "release":
        return this.#release(request.program);
      case "upload":
        return this.#upload(request.tensor);
      case "download":
        return this.#download(request.resident);
      case "free":
        return this.#free(request.resident);
    }
  }

  async #start(request: StartRequest): Promise<{ answer: StartAnswer }> {
    this.#provider = request.provider;
    const { ort, runtime, threads } = await this.platform.load(request);
    this.#ort = ort;
    this.#threads = threads;
    this.#runInto = this.platform.residents === "arrays" ? await probePlacement(ort) : undefined;
    return { answer: { runtime, threads, placesOutputs: this.#runInto !== undefined } };
  }

  async #compile({ model, weights, provider, optimization, prepacking }: CompileRequest): Promise<{ answer: CompileAnswer }> {
    const options: InferenceSession.SessionOptions = {
      executionProviders: [provider],
      graphOptimizationLevel: optimization,
      intraOpNumThreads: this.#threads,
      logSeverityLevel: 3,
      // An arena takes memory in doubling pieces: worth it for who runs often, not for who saves the weights' second copy too.
      enableCpuMemArena: prepacking === "on",
      ...(weights.length > 0 && { externalData: weights }),
      extra: {
        session: {
          // Threads that wait for the next operator of a run spin; after it they would steal the cores of the next program.
          intra_op: { allow_spinning: "1" },
          force_spinning_stop: "1",
          disable_prepacking: prepacking === "on" ? "0" : "1",
        },
      },
      // A kept output stays in GPU memory; the others are read back after the run.
      ...(provider === "webgpu" &&
        this.platform.residents === "runtime memory" && { preferredOutputLocation: "gpu-buffer" as const }),
    };
    const { InferenceSession } = this.#ort!;
    const session = await (typeof model === "string"
      ? InferenceSession.create(model, options)
      : InferenceSession.create(model, options));
    try {
      const inputs = session.inputMetadata.map(valueInfo);
      const outputs = ownOutputs(session).map(valueInfo);
      const program = ++this.#lastId;
      this.#sessions.set(program, session);
      return { answer: { program, inputs, outputs } };
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  async #run({ program, feeds, fetch, keep, lent }: RunRequest): Promise<Outcome<"run">> {
    const session = this.#sessions.get(program)!;
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([name, feed]) => [
        name,
        "resident" in feed ? this.#residents.get(feed.resident)! : this.#toOrt(feed),
      ]),
    );
    const results = (await this.#runInPlace(session, inputs, fetch, keep)) ?? (await session.run(inputs, fetch));

    const found: Record<string, Tensor | ResidentTensor> = {};
    const returned = lent.map((name) => (feeds[name] as Tensor).data.buffer as ArrayBuffer);
    const transfer = [...returned];
    for (const name of fetch) {
      const result = results[name] as OrtTensor;
      if (keep.includes(name)) {
        found[name] = this.#retain(result);
      } else {
        const tensor = owned(fromOrt(result, await result.getData(true)));
        found[name] = tensor;
        transfer.push(tensor.data.buffer as ArrayBuffer);
      }
    }
    return { answer: { results: found, returned }, transfer };
  }

  /** Undefined where it is not possible, or not worth it. */
  async #runInPlace(
    session: InferenceSession,
    inputs: Record<string, OrtTensor>,
    fetch: readonly string[],
    keep: readonly string[],
  ): Promise<Record<string, OrtTensor> | undefined> {
    if (!this.#runInto || !hasSequence(session) || keep.length === 0) return undefined;
    const infos = ownOutputs(session)
      .map(valueInfo)
      .filter(({ name }) => fetch.includes(name));
    if (!infos.every(({ shape }) => shape?.every((d) => typeof d === "number"))) return undefined;
    const bytes = (name: string) => {
      const { shape, type } = infos.find((o) => o.name === name)!;
      return sizeOf(shape as Shape) * bytesPerElement(type);
    };
    if (keep.reduce((sum, name) => sum + bytes(name), 0) < worthPlacing) return undefined;
    const results: Record<string, OrtTensor> = {};
    for (const { name, type, shape } of infos) {
      const spare = keep.includes(name) ? this.#takeSpare(type, shape as Shape) : undefined;
      results[name] = spare ?? this.#toOrt(tensor(type, shape as Shape));
    }
    await this.#runInto(session, inputs, results);
    return results;
  }

  async #release(program: number): Promise<Outcome<"release">> {
    const session = this.#sessions.get(program);
    this.#sessions.delete(program);
    await session?.release();
    return { answer: undefined };
  }

  async #upload(tensor: Tensor): Promise<Outcome<"upload">> {
    return { answer: this.#retain(this.#toOrt(tensor)) };
  }

  async #download(resident: number): Promise<Outcome<"download">> {
    const held = this.#residents.get(resident)!;
    const { type, shape, data } = fromOrt(held, await held.getData());
    const copy = data.slice() as typeof data;
    return { answer: { type, shape, data: copy }, transfer: [copy.buffer as ArrayBuffer] };
  }

  async #free(resident: number): Promise<Outcome<"free">> {
    const held = this.#residents.get(resident);
    this.#residents.delete(resident);
    if (!held) return { answer: undefined };
    if (this.platform.residents === "arrays") this.#keepSpare(held);
    else held.dispose();
    return { answer: undefined };
  }

  #keepSpare(held: OrtTensor): void {
    this.#spare.add(held);
    this.#spareBytes += byteLength(held);
    for (const oldest of this.#spare) {
      if (this.#spareBytes <= spareBytesLimit) break;
      this.#forgetSpare(oldest);
      oldest.dispose();
    }
  }

  #forgetSpare(spare: OrtTensor): void {
    this.#spare.delete(spare);
    this.#spareBytes -= byteLength(spare);
  }

  #retain(tensor: OrtTensor): ResidentTensor {
    const resident = ++this.#lastId;
    this.#residents.set(resident, tensor);
    return { resident, type: tensor.type as DataType, shape: [...tensor.dims] };
  }

  #takeSpare(type: DataType, shape: Shape): OrtTensor | undefined {
    for (const spare of this.#spare) {
      if (spare.type !== type || !sameShape(spare.dims, shape)) continue;
      this.#forgetSpare(spare);
      return spare;
    }
    return undefined;
  }

  #toOrt({ type, shape, data }: Tensor): OrtTensor {
    // The constructor's overloads tie one array type to each element type; `Tensor` guarantees the same.
    return new this.#ort!.Tensor(type as "float32", data as Float32Array, shape);
  }
}

const byteLength = (t: OrtTensor) => sizeOf(t.dims) * bytesPerElement(t.type as DataType);

function valueInfo(metadata: InferenceSession.ValueMetadata): ValueInfo {
  const { name } = metadata;
  if (!metadata.isTensor) throw new Error(`"${name}" is a sequence or map, but inputs and outputs must be tensors`);
  if (!dataTypes.includes(metadata.type as DataType)) {
    throw new Error(`"${name}" is a tensor of type ${metadata.type}; inputs and outputs may be ${dataTypes.join(", ")}`);
  }
  return { name, type: metadata.type as DataType, shape: metadata.shape };
}

function fromOrt(t: OrtTensor, data: OrtTensor.DataType): Tensor {
  const type = t.type as DataType;
  // Where the platform has Float16Array, ONNX Runtime yields that; a Tensor keeps bit patterns.
  const bits = data as Uint16Array;
  return {
    type,
    shape: [...t.dims],
    data: type === "float16" ? new Uint16Array(bits.buffer, bits.byteOffset, bits.length) : bits,
  };
}

/** The tensor with a buffer that holds nothing else, so that it can be transferred. */
function owned(t: Tensor): Tensor {
  return t.data.buffer.byteLength === t.data.byteLength ? t : ({ ...t, data: t.data.slice() } as Tensor);
}

function sentence(kind: keyof Calls, provider: Provider, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const line = message.split("\n", 1)[0]!.replace(/[.\s]*$/, "");
  if (kind === "start") return `${line}.`;
  const doing = kind === "compile" ? "load the model" : kind === "run" ? "run the program" : kind;
  return `ONNX Runtime (${provider}) could not ${doing}: ${line}.`;
}

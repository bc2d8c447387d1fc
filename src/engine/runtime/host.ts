import type { Env, InferenceSession, InferenceSessionFactory, Tensor as OrtTensor, TensorConstructor } from "onnxruntime-common";
import type { ValueInfo } from "../onnx/model.js";
import { bytesPerElement, type DataType, dataTypes, sizeOf, type Tensor } from "../tensor/tensor.js";
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
  /** Whether ONNX Runtime writes results straight into arrays that it is given. */
  readonly reusesOutputs: boolean;
}

type Outcome<K extends keyof Calls> = { answer: Calls[K]["answer"]; transfer?: ArrayBuffer[] };

/**
 * Disposed resident tensors kept for later outputs, at most this many bytes: fresh memory costs a page fault for every 4 KiB. A step on a
 * 16 MiB state takes 6.9 ms through the main thread, 4.3 kept in fresh memory, 3.1 kept in reused memory (bench/resident.ts).
 */
const spareBytesLimit = 256 * 2 ** 20;

/** The worker's side: owns ONNX Runtime's sessions and the resident tensors, and answers one request after the other. */
export class Host {
  #ort: OrtModule | undefined;
  #provider: Provider = "cpu";
  #threads = 1;
  #lastId = 0;
  readonly #sessions = new Map<number, InferenceSession>();
  readonly #residents = new Map<number, OrtTensor>();
  readonly #spare = new Map<string, OrtTensor[]>();
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
    return { answer: { runtime, threads } };
  }

  async #compile({ model, provider, optimization, spinning }: CompileRequest): Promise<{ answer: CompileAnswer }> {
    const session = await this.#ort!.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: optimization,
      intraOpNumThreads: this.#threads,
      logSeverityLevel: 3,
      enableCpuMemArena: true,
      extra: { session: { intra_op: { allow_spinning: spinning === "on" ? "1" : "0" } } },
      // A kept output stays in GPU memory; the others are read back after the run.
      ...(provider === "webgpu" && !this.platform.reusesOutputs ? { preferredOutputLocation: "gpu-buffer" as const } : {}),
    });
    try {
      const inputs = session.inputMetadata.map(valueInfo);
      const outputs = session.outputMetadata.map(valueInfo);
      const program = ++this.#lastId;
      this.#sessions.set(program, session);
      return { answer: { program, inputs, outputs } };
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  async #run({ program, feeds, fetch, keep }: RunRequest): Promise<Outcome<"run">> {
    const session = this.#sessions.get(program)!;
    const inputs: Record<string, OrtTensor> = {};
    for (const [name, feed] of Object.entries(feeds)) {
      inputs[name] = "resident" in feed ? this.#residents.get(feed.resident)! : this.#toOrt(feed);
    }
    const fetches: Record<string, OrtTensor | null> = Object.fromEntries(fetch.map((name) => [name, null]));
    for (const name of keep) fetches[name] = this.#takeSpare(session.outputMetadata.map(valueInfo).find((o) => o.name === name)!);
    const results = await session.run(inputs, fetches);

    const answer: Record<string, Tensor | ResidentTensor> = {};
    const transfer: ArrayBuffer[] = [];
    for (const name of fetch) {
      const result = results[name] as OrtTensor;
      if (keep.includes(name)) {
        answer[name] = this.#retain(result);
      } else {
        const tensor = owned(fromOrt(result, await result.getData(true)));
        answer[name] = tensor;
        transfer.push(tensor.data.buffer as ArrayBuffer);
      }
    }
    return { answer, transfer };
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
    const bytes = byteLength(held);
    if (this.platform.reusesOutputs && this.#spareBytes + bytes <= spareBytesLimit) {
      const key = spareKey(held.type, held.dims);
      this.#spare.set(key, [...(this.#spare.get(key) ?? []), held]);
      this.#spareBytes += bytes;
    } else {
      held.dispose();
    }
    return { answer: undefined };
  }

  #retain(tensor: OrtTensor): ResidentTensor {
    const resident = ++this.#lastId;
    this.#residents.set(resident, tensor);
    return { resident, type: tensor.type as DataType, shape: [...tensor.dims] };
  }

  #takeSpare({ type, shape }: ValueInfo): OrtTensor | null {
    const spare = shape && this.#spare.get(spareKey(type, shape))?.pop();
    if (!spare) return null;
    this.#spareBytes -= byteLength(spare);
    return spare;
  }

  #toOrt({ type, shape, data }: Tensor): OrtTensor {
    // The constructor's overloads tie one array type to each element type; `Tensor` guarantees the same.
    return new this.#ort!.Tensor(type as "float32", data as Float32Array, shape);
  }
}

const spareKey = (type: string, shape: readonly (number | string)[]) => `${type} ${shape}`;
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

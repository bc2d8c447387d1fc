import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DelayedError, type Job, Queue, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { type Cell, CellError, readCell } from "../cells/cell.js";
import { CellFailed } from "../cells/cell-process.js";
import { sentenceOf } from "../cli/errors.js";
import { version } from "../cli/version.js";
import type { QueueAddress } from "./address.js";
import { connect } from "./connection.js";
import { DownloadError } from "./download.js";
import { type JobData, readJob } from "./job.js";
import { encode, type Message } from "./message.js";
import { forgottenAfter, prefix, queueName, resultsKey, sweepKey, versionsKey, waitingMessages, workerName } from "./names.js";
import { Elsewhere, placesOf, type Root } from "./places.js";
import { partsOf } from "./send-files.js";

/** Runs a cell into a folder: a process of its own (`CellProcess`), or whatever a measurement puts in its place. */
export interface Executor {
  run(
    cell: Cell,
    folder: string,
    hooks: {
      readonly places: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
      readonly onProgress: (done: number, total: number, note: string) => void;
    },
  ): Promise<"done" | "stopped">;
}

export interface WorkerOptions {
  /** The only folder that is written to. */
  readonly folder: string;
  readonly roots: readonly Root[];
  /** SHA-256 of the modules that this worker was started with. */
  readonly plugins: readonly string[];
  /** As many cells are done at the same time. */
  readonly executors: readonly Executor[];
  /** Seconds after which a worker that gives no sign of life has lost its cell to others. */
  readonly lostAfter: number;
  /** Seconds without a cell after which the worker ends; undefined: never. */
  readonly idle: number | undefined;
  readonly signal: AbortSignal;
  readonly say: (sentence: string) => void;
}

/** So long a cell that this worker cannot do stays with others, and one whose results nobody takes is put aside; in milliseconds. */
const leftToOthers = 2000;
const putAside = 60_000;
const longestPause = 30_000;

/**
 * Takes cells from a queue, one at a time, until it is told to stop; gives how many it has done.
 *
 * @throws QueueError where the server cannot be reached at the start.
 */
export async function runWorker(address: QueueAddress, options: WorkerOptions): Promise<number> {
  const { say, signal, lostAfter } = options;
  const redis = await connect(address, say);
  const work = new Work(redis, options);
  await redis.sadd(versionsKey, version);
  const worker = new Worker<JobData>(queueName(version), (job, token) => work.take(job, token!), {
    connection: redis,
    prefix,
    name: workerName(),
    concurrency: options.executors.length,
    lockDuration: 1000 * lostAfter,
    lockRenewTime: 250 * lostAfter,
    stalledInterval: 500 * lostAfter,
    // The third worker that is lost with a cell is the last one.
    maxStalledCount: 2,
  });
  // Broken connections are told by `connect`. A lock that could not be renewed means that others may do the cell too: what comes twice is taken once.
  worker.on("error", () => {});
  say(`takes cells of version ${version} from ${address.shown}; works in ${options.folder}`);
  try {
    let others = "";
    for (let n = 0; !signal.aborted; n++) {
      if (n % 30 === 0) others = await sayOthers(redis, others, say);
      if (options.idle !== undefined && work.idleFor() > 1000 * options.idle) {
        say(`no cell for ${options.idle} seconds`);
        break;
      }
      await setTimeout(1000, undefined, { signal }).catch(() => {});
    }
  } finally {
    // The server may be away: then the cell comes back to others by itself.
    await Promise.race([worker.close(), work.finished().then(() => setTimeout(5000, undefined, { ref: false }))]);
    redis.disconnect();
  }
  return work.done;
}

/** Cells of other versions that wait are others' work, and the user may wonder why this worker has none. */
async function sayOthers(redis: Redis, before: string, say: (sentence: string) => void): Promise<string> {
  const versions = (await redis.smembers(versionsKey)).filter((v) => v !== version).sort();
  const found: string[] = [];
  for (const other of versions) {
    const count = await new Queue(queueName(other), { connection: redis, prefix }).getWaitingCount();
    if (count > 0) found.push(`${count} of version ${other}`);
  }
  const now = found.join(", ");
  if (now !== "" && now.replaceAll(/\d+ of/g, "") !== before.replaceAll(/\d+ of/g, ""))
    say(`cells of other versions wait in the queue (${now}); this is ${version}, and leaves them to workers of those versions`);
  return now;
}

/** The cell goes back to the queue. */
class GivenBack extends Error {
  constructor(
    /** For how long nobody takes it, in milliseconds; 0: the next one may at once. */
    readonly delay: number,
  ) {
    super();
  }
}

class Work {
  done = 0;
  #last = Date.now();
  /** Cells in a row that this machine lacks something for. */
  #lacking = 0;
  readonly #inHand = new Set<Promise<unknown>>();
  readonly #free: Executor[];

  constructor(
    private readonly redis: Redis,
    private readonly options: WorkerOptions,
  ) {
    this.#free = [...options.executors];
  }

  idleFor(): number {
    return this.#inHand.size > 0 ? 0 : Date.now() - this.#last;
  }

  async finished(): Promise<void> {
    await Promise.all(this.#inHand);
  }

  /** A job of the queue, from beginning to end. */
  async take(job: Job<JobData>, token: string): Promise<void> {
    const work = this.#do(job);
    const quiet = work.catch(() => {});
    this.#inHand.add(quiet);
    try {
      await work;
    } catch (error) {
      if (!(error instanceof GivenBack)) throw error;
      if (error.delay > 0) {
        await job.moveToDelayed(Date.now() + error.delay, token);
        throw new DelayedError();
      }
      await job.moveToWait(token);
      throw new WaitingError();
    } finally {
      this.#inHand.delete(quiet);
      this.#last = Date.now();
    }
  }

  async #do(job: Job<JobData>): Promise<void> {
    const { say, signal } = this.options;
    if (signal.aborted) throw new GivenBack(0);
    const data = readJob(job.data, version);
    if (typeof data === "string") {
      say(`leaves job ${job.name} to others: ${data}`);
      throw new GivenBack(putAside);
    }
    const { sweep } = data;
    if (!(await this.redis.exists(sweepKey(sweep)))) {
      say(`drops ${job.name}: nobody waits for its sweep any more`);
      return;
    }
    const cell = this.#read(data);
    const about = { key: cell.key, worker: workerName() };
    try {
      await this.#run(cell, sweep, about);
    } catch (error) {
      if (error instanceof GivenBack) throw error;
      const sentence = sentenceOf(error);
      if (error instanceof CellError) {
        say(`${cell.name} can be run nowhere: ${sentence}`);
        await this.#send(sweep, { kind: "failed", ...about, of: "the cell", sentence });
        return;
      }
      const lacks = error instanceof Elsewhere || error instanceof DownloadError;
      if (lacks || error instanceof CellFailed) {
        say(`leaves ${cell.name} to others: ${sentence}`);
        await this.#send(sweep, { kind: "failed", ...about, of: lacks ? "the machine" : "the run", sentence });
        // A worker that lacks something is done with a cell in no time, and would snatch them all from those that can do them.
        if (lacks) await setTimeout(Math.min(500 * 2 ** this.#lacking++, longestPause), undefined, { signal }).catch(() => {});
        throw new GivenBack(leftToOthers);
      }
      say(`${cell.name} is tried again: ${sentence}`);
      throw new Error(sentence);
    }
  }

  #read(data: JobData): Cell {
    try {
      return readCell(data.cell);
    } catch (error) {
      throw new UnrecoverableError(sentenceOf(error));
    }
  }

  async #run(cell: Cell, sweep: string, about: { readonly key: string; readonly worker: string }): Promise<void> {
    const { folder, roots, plugins, signal, say } = this.options;
    for (const plugin of cell.plan.plugins ?? [])
      if (!plugins.includes(plugin.sha256))
        throw new Elsewhere(
          `it needs the module ${plugin.path} (SHA-256 ${plugin.sha256}); a worker runs no code but that of its own --plugin.`,
        );
    await this.#send(sweep, { kind: "started", ...about });
    say(cell.name);
    const places = await placesOf(cell, { roots, files: join(folder, "files"), signal });
    this.#lacking = 0;
    const place = join(folder, "cells", cell.key);
    let told = 0;
    const onProgress = (done: number, total: number, note: string) => {
      if (Date.now() - told < 1000) return;
      told = Date.now();
      // How far a cell is may be lost: nothing waits for it.
      void this.#tell(sweep, { kind: "progress", ...about, done, total, note }).catch(() => {});
    };
    // There are as many as cells that are taken.
    const executor = this.#free.pop()!;
    const end = await executor.run(cell, place, { places, signal, onProgress }).finally(() => this.#free.push(executor));
    if (end === "stopped") {
      say(`gives ${cell.name} back; what is done of it stays in ${place}`);
      throw new GivenBack(0);
    }
    for await (const { part, payload } of partsOf(place, about)) await this.#send(sweep, part, payload);
    rmSync(place, { recursive: true, force: true });
    this.done++;
    say(`${cell.name} done`);
  }

  /** Where much waits already, this does not matter so much. */
  async #tell(sweep: string, message: Message): Promise<void> {
    if (this.redis.status !== "ready" || (await this.redis.llen(resultsKey(sweep))) > waitingMessages / 2) return;
    await this.redis.rpush(resultsKey(sweep), encode(message));
  }

  /** Waits while the coordinator has much to take. */
  async #send(sweep: string, message: Message, payload?: Uint8Array): Promise<void> {
    const list = resultsKey(sweep);
    const began = Date.now();
    while ((await this.redis.llen(list)) >= waitingMessages) {
      if (this.options.signal.aborted) throw new GivenBack(0);
      if (Date.now() - began > putAside) {
        this.options.say("nobody takes the results of a sweep, and its cell is put aside; repeat the sweep's command");
        throw new GivenBack(putAside);
      }
      await setTimeout(200);
    }
    await this.redis.multi().rpush(list, encode(message, payload)).expire(list, forgottenAfter).exec();
  }
}

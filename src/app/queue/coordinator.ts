import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Queue } from "bullmq";
import type { Redis } from "ioredis";
import type { Cell } from "../cells/cell.js";
import type { Runner, RunnerWork } from "../cells/runner.js";
import { version } from "../cli/version.js";
import { makeFolder } from "../runs/folders.js";
import type { QueueAddress } from "./address.js";
import { connect } from "./connection.js";
import { type JobData, jobFormat, jobId, patience } from "./job.js";
import { decode, type Message } from "./message.js";
import { forgottenAfter, prefix, queueName, resultsKey, sweepKey, versionsKey } from "./names.js";
import { Receiver } from "./receive-files.js";

export interface QueueRunnerOptions {
  /** The sweep's directory. */
  readonly folder: string;
  /** Takes sentences for the user. */
  readonly say: (sentence: string) => void;
  /** How often the queue is looked through, in milliseconds. */
  readonly checkEvery?: number;
}

/**
 * Has cells done by the workers of a queue. It alone knows which cells are done: their results lie in the sweep's directory. The queue is a means that may
 * forget: what it has lost is put in again, and what comes twice is taken once.
 *
 * @throws QueueError where the server cannot be reached at the start.
 */
export class QueueRunner implements Runner {
  constructor(
    private readonly address: QueueAddress,
    private readonly options: QueueRunnerOptions,
  ) {}

  async run(cells: readonly Cell[], work: RunnerWork): Promise<void> {
    if (cells.length === 0) return;
    const { folder, say } = this.options;
    const redis = await connect(this.address, say);
    // Waiting for results blocks a connection.
    const reader = await connect(this.address);
    const coordination = new Coordination(redis, reader, this.address, cells, work, { checkEvery: 2000, ...this.options });
    try {
      await coordination.run();
    } finally {
      reader.disconnect();
      redis.disconnect();
    }
    if (!work.signal.aborted) rmSync(nameFile(folder), { force: true });
  }
}

/** The name under which the queue knows a sweep lies in its directory until all is done, so that a repeated command finds what workers did meanwhile. */
const nameFile = (folder: string): string => join(folder, "queue.json");

function nameOfSweep(folder: string): string {
  const file = nameFile(folder);
  if (existsSync(file)) {
    const { sweep } = JSON.parse(readFileSync(file, "utf8")) as { sweep?: unknown };
    if (typeof sweep === "string" && /^[\w]+$/.test(sweep)) return sweep;
  }
  makeFolder(folder);
  const sweep = randomUUID().replaceAll("-", "").slice(0, 12);
  writeFileSync(file, `${JSON.stringify({ sweep })}\n`);
  return sweep;
}

/** Jobs that are put in, asked for or taken out with one message to the server. */
const atOnce = 1000;

/** So long something is waited for at the end; the wait keeps no process. */
const patient = (milliseconds: number): Promise<void> => setTimeout(milliseconds, undefined, { ref: false });

/** Workers that come to the same error: others would too. */
const enough = 3;

/** Why a worker could not do a cell. */
type Failure = Pick<Extract<Message, { kind: "failed" }>, "worker" | "of" | "sentence">;

class Coordination {
  readonly #sweep: string;
  readonly #queue: Queue<JobData>;
  readonly #pending: Map<string, Cell>;
  readonly #receiver: Receiver;
  /** By cell, what the workers say that could not do it. */
  readonly #failures = new Map<string, Map<string, Failure>>();
  /** Done since the queue was last looked through. */
  #finished: string[] = [];
  /** Cells whose jobs were gone when the queue was last looked through. */
  #missing = new Set<string>();
  #receiving: "idle" | "busy" = "idle";
  readonly #stop = new AbortController();
  /** Ends the wait where the last cell has come. */
  #complete = (): void => {};
  #told = "";

  constructor(
    private readonly redis: Redis,
    private readonly reader: Redis,
    private readonly address: QueueAddress,
    cells: readonly Cell[],
    private readonly work: RunnerWork,
    private readonly options: Required<QueueRunnerOptions>,
  ) {
    this.#sweep = nameOfSweep(options.folder);
    this.#pending = new Map(cells.map((cell) => [cell.key, cell]));
    this.#receiver = new Receiver(join(options.folder, ".incoming"));
    this.#queue = new Queue(queueName(version), { connection: redis, prefix });
    // Broken connections are told by `connect`; commands wait for the server to come back.
    this.#queue.on("error", () => {});
  }

  async run(): Promise<void> {
    const { signal } = this.work;
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const complete = new Promise<void>((resolve) => {
      this.#complete = resolve;
    });
    const loops = [this.#receive(), this.#watch()];
    try {
      await Promise.race([aborted, complete, Promise.all(loops)]);
      if (signal.aborted && this.#pending.size > 0)
        await Promise.race([this.#leave(), patient(this.redis.status === "ready" ? 30_000 : 1000)]);
      else if (this.#pending.size === 0) await this.redis.del(sweepKey(this.#sweep), resultsKey(this.#sweep));
    } finally {
      this.#stop.abort();
      this.reader.disconnect();
      await Promise.race([Promise.allSettled(loops), patient(2000)]);
      this.#receiver.drop();
    }
  }

  get #over(): boolean {
    return this.#stop.signal.aborted || this.#pending.size === 0;
  }

  /** Takes what workers send. */
  async #receive(): Promise<void> {
    const list = resultsKey(this.#sweep);
    try {
      while (!this.#over) {
        const [, first] = (await this.reader.blpopBuffer(list, 1)) ?? [];
        this.#receiving = "busy";
        const more = first ? ((await this.reader.lpopBuffer(list, 63)) ?? []) : [];
        for (const bytes of first ? [first, ...(more as Buffer[])] : []) {
          const message = decode(bytes);
          if (message && !this.#over) await this.#take(message.message, message.payload);
        }
        this.#receiving = "idle";
      }
    } catch (error) {
      // The connection was closed while the loop waited.
      if (!this.#stop.signal.aborted) throw error;
    }
  }

  async #take(message: Message, payload: Uint8Array): Promise<void> {
    const cell = this.#pending.get(message.key);
    // Done by another worker before.
    if (!cell) return;
    if (message.kind === "started") this.work.started(cell, message.worker);
    if (message.kind === "progress") this.work.progress(cell, message.done, message.total, message.note);
    if (message.kind === "failed") await this.#takeFailure(cell, message);
    if (message.kind === "part" && this.#receiver.take(message, payload, this.work.folder(cell)) === "whole") {
      this.#end(cell);
      this.work.done(cell);
    }
  }

  #end(cell: Cell): void {
    this.#pending.delete(cell.key);
    this.#failures.delete(cell.key);
    this.#receiver.drop(cell.key);
    this.#finished.push(cell.key);
    if (this.#pending.size === 0) this.#complete();
  }

  #fail(cell: Cell, sentence: string, attempts: number): void {
    this.#end(cell);
    this.work.failed(cell, sentence, attempts);
  }

  /** A cell is given up where as many workers as there are cannot do it, or three have tried; until then it waits for another one. */
  async #takeFailure(cell: Cell, { worker, of, sentence }: Failure): Promise<void> {
    const known = this.#failures.get(cell.key) ?? new Map<string, Failure>();
    if (known.get(worker)?.sentence !== sentence && of !== "the cell")
      this.#say(`${worker} leaves ${cell.name} to others: ${sentence}`);
    this.#failures.set(cell.key, known.set(worker, { worker, of, sentence }));
    const tried = [...known.values()].filter((failure) => failure.of === "the run").length;
    if (of === "the cell" || tried >= enough || known.size >= (await this.#queue.getWorkersCount()))
      this.#fail(cell, sentence, known.size);
  }

  /** Puts all cells in the queue, and looks through it time and again. */
  async #watch(): Promise<void> {
    await this.#announce();
    await this.#enqueue([...this.#pending.values()]);
    while (!this.#over) {
      await setTimeout(this.options.checkEvery, undefined, { signal: this.#stop.signal }).catch(() => {});
      if (this.#over) return;
      await this.#announce();
      await this.#tidy();
      await this.#look();
      await this.#sayWhoWorks();
    }
  }

  async #announce(): Promise<void> {
    const who = JSON.stringify({ host: hostname(), folder: resolve(this.options.folder) });
    await this.redis
      .multi()
      .set(sweepKey(this.#sweep), who, "EX", forgottenAfter)
      .expire(resultsKey(this.#sweep), forgottenAfter)
      .sadd(versionsKey, version)
      .exec();
  }

  async #enqueue(cells: readonly Cell[]): Promise<void> {
    for (let i = 0; i < cells.length && !this.#over; i += atOnce)
      await this.#queue.addBulk(
        cells.slice(i, i + atOnce).map((cell) => ({
          name: cell.name,
          data: { format: jobFormat, version, sweep: this.#sweep, cell },
          opts: { ...patience, jobId: jobId(this.#sweep, cell.key) },
        })),
      );
  }

  /** Takes jobs out whose cells have been done by another delivery. */
  async #tidy(): Promise<void> {
    const done = this.#finished.splice(0);
    const left = await this.#existing(done);
    await Promise.all([...left].map((key) => this.#queue.remove(jobId(this.#sweep, key)).catch(() => 0)));
  }

  /**
   * Finds cells that the queue gave up (each worker that had one died), and cells that it has lost (the server was restarted without its data). A worker sends
   * its result before its job goes; so what is gone from the queue at one look, and has not come when the list of results is empty at the next, is lost.
   */
  async #look(): Promise<void> {
    const keys = [...this.#pending.keys()];
    for (const key of await this.#givenUp(keys)) {
      const job = await this.#queue.getJob(jobId(this.#sweep, key));
      const cell = this.#pending.get(key);
      const reason = job?.failedReason ?? "";
      await job?.remove();
      if (cell)
        this.#fail(
          cell,
          /stalled/.test(reason)
            ? "every worker that took it was lost before it was done (out of memory?)."
            : reason || "it was given up.",
          enough,
        );
    }
    const existing = await this.#existing(keys);
    const missing = new Set(keys.filter((key) => this.#pending.has(key) && !existing.has(key)));
    const settled = (await this.redis.llen(resultsKey(this.#sweep))) === 0 && this.#receiving === "idle";
    const lost = settled ? [...missing].flatMap((key) => (this.#missing.has(key) ? (this.#pending.get(key) ?? []) : [])) : [];
    this.#missing = missing;
    if (lost.length === 0) return;
    this.#say(`the queue has lost ${lost.length} ${lost.length === 1 ? "cell" : "cells"}; they are put in again`);
    for (const { key } of lost) this.#missing.delete(key);
    await this.#enqueue(lost);
  }

  async #existing(keys: readonly string[]): Promise<Set<string>> {
    const found = new Set<string>();
    for (let i = 0; i < keys.length; i += atOnce) {
      const some = keys.slice(i, i + atOnce);
      const pipeline = this.redis.pipeline();
      for (const key of some) pipeline.exists(this.#queue.toKey(jobId(this.#sweep, key)));
      const answers = (await pipeline.exec()) ?? [];
      for (const [n, [, there]] of answers.entries()) if (there === 1) found.add(some[n]!);
    }
    return found;
  }

  async #givenUp(keys: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (let i = 0; i < keys.length; i += atOnce) {
      const some = keys.slice(i, i + atOnce);
      const scores = await this.redis.zmscore(this.#queue.toKey("failed"), ...some.map((key) => jobId(this.#sweep, key)));
      found.push(...some.filter((_, n) => scores[n] !== null));
    }
    return found;
  }

  /** Says where nobody is there to do the work, once. */
  async #sayWhoWorks(): Promise<void> {
    if (this.#pending.size === 0 || (await this.#queue.getWorkersCount()) > 0) {
      this.#told = "";
      return;
    }
    const others = await this.#othersWorkers();
    const sentence = `no worker takes cells from ${this.address.shown}${others}; start one on any machine that reaches it: npx faultline worker --queue ${this.address.shown}`;
    if (sentence !== this.#told) this.#say(sentence);
    this.#told = sentence;
  }

  /** Workers of other versions that listen. */
  async #othersWorkers(): Promise<string> {
    const versions = (await this.redis.smembers(versionsKey)).filter((v) => v !== version);
    const found: string[] = [];
    for (const other of versions) {
      const queue = new Queue(queueName(other), { connection: this.redis, prefix });
      const count = await queue.getWorkersCount();
      if (count > 0) found.push(`${count} of version ${other}`);
    }
    return found.length === 0 ? "" : ` (${found.join(", ")} listen there, and cells of version ${version} are not for them)`;
  }

  /** Takes what nobody has begun out of the queue; what is being done comes back as results that wait for a day. */
  async #leave(): Promise<void> {
    const keys = [...this.#pending.keys()];
    const removed = new Set<string>();
    for (let i = 0; i < keys.length; i += atOnce)
      await Promise.all(
        keys.slice(i, i + atOnce).map(async (key) => {
          if ((await this.#queue.remove(jobId(this.#sweep, key)).catch(() => 0)) === 1) removed.add(key);
        }),
      );
    const begun = await this.#existing(keys.filter((key) => !removed.has(key)));
    if (begun.size > 0)
      this.#say(
        `${begun.size} ${begun.size === 1 ? "cell is" : "cells are"} being done by workers; what they finish waits in ${this.address.shown} for a day, and the repeated command takes it`,
      );
  }

  #say(sentence: string): void {
    this.options.say(sentence);
  }
}

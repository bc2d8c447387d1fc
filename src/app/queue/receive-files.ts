import { createHash, type Hash } from "node:crypto";
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Part, SentFile } from "./message.js";

/** What came of a part: the run is there, more is to come, or it is worth nothing (a part was lost, a file is not what was announced). */
export type Received = "whole" | "more" | "spoiled";

/**
 * Puts the parts of runs together, each in a folder of its own until it is whole; then its hashes have been checked, and it moves to its place in one step.
 */
export class Receiver {
  readonly #open = new Map<string, Delivery>();

  /** @param folder where runs lie while they come in; on the disk of the places they move to. What is left there of an earlier process goes. */
  constructor(private readonly folder: string) {
    rmSync(folder, { recursive: true, force: true });
  }

  /** @param place where the run belongs; what is there of an unfinished one goes. */
  take(part: Part, payload: Uint8Array, place: string): Received {
    const name = `${part.key}-${part.delivery}`;
    if (part.part === 0) this.#open.set(name, new Delivery(join(this.folder, name), part.files));
    const delivery = this.#open.get(name);
    if (!delivery) return "spoiled";
    const received = delivery.take(part.part, payload);
    if (received === "more") return received;
    this.#open.delete(name);
    if (received === "whole") {
      rmSync(place, { recursive: true, force: true });
      mkdirSync(dirname(place), { recursive: true });
      renameSync(delivery.folder, place);
    } else delivery.drop();
    return received;
  }

  /** Drops what has come so far of the runs of a cell, or of all. */
  drop(key?: string): void {
    for (const [name, delivery] of this.#open) {
      if (key !== undefined && !name.startsWith(`${key}-`)) continue;
      delivery.drop();
      this.#open.delete(name);
    }
    if (key === undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

class Delivery {
  #next = 0;
  #file = -1;
  #left = 0;
  #descriptor: number | undefined;
  #hash: Hash = createHash("sha256");

  constructor(
    readonly folder: string,
    private readonly files: readonly SentFile[],
  ) {
    mkdirSync(folder, { recursive: true });
  }

  take(number: number, payload: Uint8Array): Received {
    if (number !== this.#next++) return this.#end("spoiled");
    let rest = payload;
    while (true) {
      if (this.#left === 0 && !this.#closeFile()) return this.#end("spoiled");
      if (this.#left === 0 && this.#file === this.files.length) return this.#end(rest.length === 0 ? "whole" : "spoiled");
      if (rest.length === 0 && this.#left > 0) return "more";
      const now = rest.subarray(0, this.#left);
      if (now.length > 0) writeSync(this.#descriptor!, now);
      this.#hash.update(now);
      this.#left -= now.length;
      rest = rest.subarray(now.length);
    }
  }

  drop(): void {
    this.#end("spoiled");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Checks the file that is written and begins the next one that holds anything; false where the hash is another. */
  #closeFile(): boolean {
    const file = this.files[this.#file];
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    if (file && this.#hash.digest("hex") !== file.sha256) return false;
    this.#file++;
    const next = this.files[this.#file];
    this.#hash = createHash("sha256");
    if (!next) return true;
    const path = join(this.folder, next.path);
    mkdirSync(dirname(path), { recursive: true });
    this.#descriptor = openSync(path, "wx");
    this.#left = next.size;
    return true;
  }

  #end(received: Received): Received {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    return received;
  }
}

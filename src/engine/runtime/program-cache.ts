import type { CompileAnswer } from "./protocol.js";

interface Entry {
  readonly program: Promise<CompileAnswer>;
  /** What the program holds. */
  readonly bytes: number;
  users: number;
}

/**
 * Programs by model and options. Those in use are shared; disposed ones are kept, the least recently used evicted first, as long as they
 * stay within the limits. A program that does not load fails all who wait for it, and is forgotten.
 */
export class ProgramCache {
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();

  constructor(
    readonly limits: { readonly programs: number; readonly bytes: number },
    readonly evict: (program: number) => void,
  ) {}

  /** The program for `key`, loaded where it is not there yet. `release` gives it back; call it once, where the program did load. */
  acquire(
    key: string,
    bytes: number,
    load: () => Promise<CompileAnswer>,
  ): { program: Promise<CompileAnswer>; release: () => void } {
    const entry = this.#entries.get(key) ?? this.#load(key, bytes, load);
    entry.users++;
    this.#touch(key, entry);
    const release = () => {
      entry.users--;
      this.#touch(key, entry);
      this.#trim();
    };
    return { program: entry.program, release };
  }

  #load(key: string, bytes: number, load: () => Promise<CompileAnswer>): Entry {
    const entry: Entry = { program: load(), bytes, users: 0 };
    // Another may have taken the key by then.
    entry.program.catch(() => this.#entries.get(key) === entry && this.#entries.delete(key));
    return entry;
  }

  #touch(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  #trim(): void {
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0);
    let count = idle.length;
    let bytes = idle.reduce((sum, [, entry]) => sum + entry.bytes, 0);
    for (const [key, entry] of idle) {
      if (count <= this.limits.programs && bytes <= this.limits.bytes) return;
      count--;
      bytes -= entry.bytes;
      this.#entries.delete(key);
      entry.program.then(({ program }) => this.evict(program));
    }
  }
}

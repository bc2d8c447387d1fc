import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/**
 * How PyTorch's memory is handled: with the C library's defaults, freed blocks go back to the system and come back as page faults; kept, they
 * stay. Which is faster depends on the network, so both are measured and the better one counts.
 */
const mallocSettings = [{}, { MALLOC_MMAP_THRESHOLD_: "4294967296", MALLOC_TRIM_THRESHOLD_: "8589934592" }];

/** The first of the candidates that imports torch and onnx. */
export function findPython(candidates: readonly string[]): string | undefined {
  return candidates.find((python) => spawnSync(python, ["-c", "import torch, onnx"], { stdio: "ignore" }).status === 0);
}

/** One model in eager PyTorch: one process for each malloc setting. */
export class TorchPeer {
  readonly #processes: readonly { readonly child: ChildProcessWithoutNullStreams; readonly lines: AsyncIterator<string> }[];

  private constructor(python: string, script: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#processes = mallocSettings.map((env) => {
      const child = spawn(python, [path, ...args], { env: { ...process.env, ...env }, stdio: "pipe" });
      child.stderr.pipe(process.stderr);
      return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
    });
  }

  /** @param script one of the Python files beside this one. */
  static async start(
    python: string,
    script: "run_onnx.py" | "attack.py" | "training.py" | "sensor.py" | "resampling.py",
    args: readonly string[],
  ): Promise<TorchPeer> {
    const peer = new TorchPeer(python, script, args);
    for (const { lines } of peer.#processes) await read(lines);
    return peer;
  }

  /**
   * Milliseconds of `runs` runs after one warm-up, for each malloc setting; with the processor clock on one thread.
   *
   * @throws Error with PyTorch's words where it cannot do this.
   */
  async time(what: string, runs: number): Promise<number[][]> {
    const results: number[][] = [];
    for (const i of this.#processes.keys()) {
      const answer = (await this.#ask(i, `${what} ${runs + 1}`)) as { ms: number[] } | { failed: string };
      if ("failed" in answer) throw new Error(`PyTorch, ${what}: ${answer.failed}`);
      results.push(answer.ms.slice(1));
    }
    return results;
  }

  /** The losses of the next `runs` runs, where the script's answer has them. */
  async losses(what: string, runs: number): Promise<number[]> {
    const answers = [];
    for (const i of this.#processes.keys()) answers.push((await this.#ask(i, `${what} ${runs}`)) as { losses: number[] });
    return answers[0]!.losses;
  }

  /** What the script's command "save" computes. */
  async result(file: string, ...which: readonly string[]): Promise<Float32Array> {
    await this.#ask(0, ["save", ...which, file].join(" "));
    const bytes = await readFile(file);
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }

  stop(): void {
    for (const { child } of this.#processes) child.stdin.end();
  }

  async #ask(which: number, command: string): Promise<unknown> {
    const { child, lines } = this.#processes[which]!;
    child.stdin.write(`${command}\n`);
    return read(lines);
  }
}

async function read(lines: AsyncIterator<string>): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done) throw new Error("The PyTorch process ended; its message stands above.");
  return JSON.parse(value);
}

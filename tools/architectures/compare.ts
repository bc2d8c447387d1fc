/**
 * Is `faultline grad` right on what people ship? Exports families with PyTorch (export.py), takes each file's gradient on the command line,
 * straight and rewritten, and compares it with autograd's in float64.
 *
 *     npx tsx tools/architectures/compare.ts --python PATH [families, by part of their name] [--exporter NAME] [--form NAME]
 *         [--again refused,wrong] [--fill] [--results FILE]
 *
 * Resumes: a case that has a line in the results is not done again, unless its outcome is named by --again. A family that has lines is passed
 * over, unless --fill asks for the cases that it lacks. Build first (`npm run build`). A file whose gradient is wrong is kept in --keep.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { appendFileSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { createEngine, type Engine, parseSafetensors, type Tensor, toNumbers } from "../../src/index.js";
import { type Comparison, judge, type Line, readResults, resultsPath } from "./results.js";

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const command = here("../../bin/faultline.js");
const run = promisify(execFile);

interface Exported {
  readonly exporter: string;
  readonly form: string;
  readonly folder?: string;
  readonly yardstick?: number;
  readonly against?: "file" | "float network";
  readonly failed?: string;
}

interface Family {
  readonly name: string;
  readonly task: string;
  readonly source: string;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      python: { type: "string", default: "python3" },
      again: { type: "string", default: "" },
      exporter: { type: "string", multiple: true, default: [] },
      form: { type: "string", multiple: true, default: [] },
      results: { type: "string", default: fileURLToPath(resultsPath) },
      fill: { type: "boolean", default: false },
      keep: { type: "string", default: join(tmpdir(), "faultline-wrong") },
    },
  });
  const again = new Set(values.again.split(",").filter(Boolean));
  const commit = (await run("git", ["-C", here("."), "rev-parse", "--short", "HEAD"])).stdout.trim();
  await using engine = await createEngine({ threads: 1 });
  const only = [...values.exporter.flatMap((name) => ["--exporter", name]), ...values.form.flatMap((name) => ["--form", name])];
  const folder = await mkdtemp(join(tmpdir(), "faultline-architectures-"));
  const exporter = new Exporter(values.python, folder, only);
  const wanted = (name: string) =>
    positionals.length === 0 || positionals.some((part) => name.toLowerCase().includes(part.toLowerCase()));
  try {
    for (const family of await exporter.families()) {
      if (!wanted(family.name)) continue;
      const before = readResults(values.results).filter((line) => line.family === family.name);
      const done = before.filter((line) => !again.has(judge(line).outcome)).map((line) => `${line.exporter}/${line.form}`);
      if (before.length > 0 && done.length === before.length && !values.fill) continue;
      for await (const exported of exporter.export(family.name)) {
        if (!done.includes(`${exported.exporter}/${exported.form}`)) await settle(engine, family, exported);
      }
      for (const entry of readdirSync(folder)) await rm(join(folder, entry), { recursive: true, maxRetries: 5, retryDelay: 500 });
    }
  } finally {
    exporter.stop();
    await rm(folder, { recursive: true, force: true });
  }
  async function settle(engine: Engine, family: Family, exported: Exported): Promise<void> {
    const { exporter, form } = exported;
    const line: Line = { ...pick(family), exporter, form, commit, ...(await examine(engine, exported)) };
    record(values.results, line);
    const { outcome, because } = judge(line);
    console.log(`${outcome.padEnd(12)} ${family.name} / ${exporter} / ${form}: ${because}`);
    if (outcome === "wrong" && exported.folder) {
      const kept = join(values.keep, `${family.name} ${exporter} ${form}`.replaceAll(/[^\w]+/g, "-"));
      cpSync(exported.folder, kept, { recursive: true });
    }
  }
}

const pick = ({ name, task, source }: Family) => ({ family: name, task, source });

/** The newest line of a case counts; the file keeps one line for each. */
function record(path: string, line: Line): void {
  const lines = readResults(path);
  const same = lines.findIndex((l) => l.family === line.family && l.exporter === line.exporter && l.form === line.form);
  if (same < 0) {
    appendFileSync(path, `${JSON.stringify(line)}\n`);
  } else {
    lines[same] = line;
    writeFileSync(path, lines.map((l) => `${JSON.stringify(l)}\n`).join(""));
  }
}

/** PyTorch is loaded once: that takes longer than most exports. */
class Exporter {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  constructor(python: string, folder: string, only: readonly string[]) {
    this.#child = spawn(python, [here("export.py"), folder, ...only], { stdio: "pipe" });
    this.#child.stderr.pipe(process.stderr);
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** To be asked first, and once. */
  async families(): Promise<readonly Family[]> {
    return JSON.parse((await this.#lines.next()).value);
  }

  async *export(family: string): AsyncGenerator<Exported> {
    this.#child.stdin.write(`${family}\n`);
    for (let { value, done } = await this.#lines.next(); value !== ""; { value, done } = await this.#lines.next()) {
      if (done) throw new Error("The exporting process ended; its message stands above.");
      yield JSON.parse(value);
    }
  }

  stop(): void {
    this.#child.stdin.end();
  }
}

async function examine(engine: Engine, { folder, failed, yardstick, against }: Exported): Promise<Partial<Line>> {
  if (!folder) return { notExported: failed ?? "" };
  const { tensors } = parseSafetensors(await readFile(join(folder, "reference.safetensors")));
  const model = join(folder, "model.onnx");
  const original = await attempt(async () => forwardError(await evaluate(engine, model, tensors), tensors));
  const straight = await gradientOf(engine, folder, tensors, "none");
  const rewritten = await gradientOf(engine, folder, tensors, "provider");
  return {
    yardstick: yardstick!,
    against: against!,
    original: "value" in original ? original.value : Number.NaN,
    straight,
    rewritten,
  };
}

/** `faultline grad`, run and compared. */
async function gradientOf(
  engine: Engine,
  folder: string,
  tensors: ReadonlyMap<string, Tensor>,
  rewrites: "none" | "provider",
): Promise<Comparison> {
  const target = join(folder, `gradient-${rewrites}.onnx`);
  const inputs = [...tensors].filter(([name]) => name.startsWith("x"));
  const shapes = inputs.flatMap(([name, { shape }]) => ["--shape", `${name}=${shape.join("x")}`]);
  const flags = ["--threads", "1", "--rewrites", rewrites, ...shapes, "-o", target];
  const begin = performance.now();
  const built = await attempt(() => run(process.execPath, [command, "grad", join(folder, "model.onnx"), ...flags]));
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  if ("error" in built) return { refused: message(built.error) };
  const outputs = await attempt(() => evaluate(engine, target, tensors));
  if ("error" in outputs) return { doesNotRun: message(outputs.error) };
  const gradients = inputs.map(([name]) => compare(outputs.value[`d.${name}`]!, tensors.get(`d.${name}`)!));
  return {
    forward: forwardError(outputs.value, tensors),
    error: round(Math.max(...gradients.map((g) => g.error))),
    cosine: Number(Math.min(...gradients.map((g) => g.cosine)).toFixed(4)),
    seconds,
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

function message(error: unknown): string {
  const { stderr, message: text } = error as { stderr?: string; message: string };
  return (stderr || text).replaceAll(/\s+/g, " ").trim().slice(0, 600);
}

async function evaluate(engine: Engine, path: string, tensors: ReadonlyMap<string, Tensor>): Promise<Record<string, Tensor>> {
  using program = await engine.compile(new Uint8Array(readFileSync(path)));
  const feeds: Record<string, Tensor> = {};
  for (const { name } of program.inputs) if (tensors.has(name)) feeds[name] = tensors.get(name)!;
  return await program.run(feeds);
}

/** Relative L2 error, the largest of all outputs. */
function forwardError(found: Record<string, Tensor>, tensors: ReadonlyMap<string, Tensor>): number {
  const outputs = [...tensors].filter(([name]) => name.startsWith("y."));
  return round(Math.max(...outputs.map(([name, y]) => relative(toNumbers(found[name.slice(2)]!), toNumbers(y)))));
}

/** Relative L2 error and cosine, of the worst image. */
function compare(found: Tensor, exact: Tensor): { error: number; cosine: number } {
  const images = exact.shape[0]!;
  const [a, b] = [toNumbers(found), toNumbers(exact)];
  const size = b.length / images;
  if (a.length !== b.length) return { error: Number.NaN, cosine: Number.NaN };
  const each = Array.from(
    { length: images },
    (_, n) => [a.slice(n * size, (n + 1) * size), b.slice(n * size, (n + 1) * size)] as const,
  );
  // An image that has no influence on the outputs at all says nothing: detectors that look at the first only.
  const seen = each.filter(([, e]) => e.some((v) => v !== 0));
  return {
    error: Math.max(...seen.map(([f, e]) => relative(f, e))),
    cosine: Math.min(...seen.map(([f, e]) => dot(f, e) / Math.sqrt(dot(f, f) * dot(e, e)))),
  };
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);

function relative(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) return Number.NaN;
  const difference = a.map((v, i) => v - b[i]!);
  return Math.sqrt(dot(difference, difference) / (dot(b, b) || 1));
}

const round = (x: number) => Number(x.toPrecision(3));

if (!existsSync(here("../../dist"))) throw new Error("Build first: npm run build");
await main();

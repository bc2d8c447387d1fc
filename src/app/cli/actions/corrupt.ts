import { createHash } from "node:crypto";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { type Corrupting, commonCorruptions, corruptImage } from "../../../vision/corruptions/index.js";
import { type Conversion, conversionsOf, conversionText, countConversions } from "../../../vision/data/conversions.js";
import { encodeImage } from "../../../vision/data/node/image-file.js";
import { imagesBelow, readImage } from "../../../vision/data/node/index.js";
import { corruptionCalled, overlaysFor } from "../../data/corruption.js";
import { interruptible, progress, sayUnless, toStandardError } from "../../runs/progress.js";
import { RunDirectory, type RunRecord } from "../../runs/run-directory.js";
import type { CorruptFlags } from "../commands/corrupt.js";
import { sentenceOf, UsageError } from "../errors.js";
import { version } from "../version.js";

/** One picture under one corruption: a file to be written. */
interface Work {
  readonly file: string;
  /** Relative to the folder, with "/", without the extension. */
  readonly name: string;
  readonly corrupting: Corrupting;
  readonly to: string;
}

/** `faultline corrupt --kind fog --severity 3 DIR -o OUT` */
export async function corrupt(path: string, flags: CorruptFlags): Promise<number> {
  const files = await picturesOf(path);
  const { out, seed } = flags;
  const kinds = [...new Set(flags.kind.flatMap((kind) => (kind === "common" ? commonCorruptions : [kind])))];
  const chosen: Corrupting[] = [];
  for (const kind of kinds) {
    const corruption = corruptionCalled(kind);
    const overlays = await overlaysFor(kind, corruption.overlays && flags.pictures).catch((error: Error) => {
      throw new UsageError(error.message.replaceAll("pictures=FOLDER", "--pictures FOLDER"));
    });
    chosen.push(...[...new Set(flags.severity)].map((severity) => ({ corruption, severity, seed, ...overlays })));
  }
  if (flags.pictures && !chosen.some((c) => c.overlays))
    throw new UsageError(`--pictures ${flags.pictures}: none of these kinds lays pictures over the image; leave it out.`);
  const work = workOf(files, chosen, out);
  const plan = {
    command: "corrupt",
    version,
    pictures: digest(files.map(({ file, name }) => `${name} ${statSync(file).size}`)),
    kinds,
    severities: [...new Set(flags.severity)],
    seed,
    ...(flags.pictures && {
      overlays: digest((await imagesBelow(flags.pictures)).map((file) => `${basename(file)} ${statSync(file).size}`)),
    }),
  };
  const run = RunDirectory.open<RunRecord>(out, plan, { folders: [] });
  const converted = new Map<string, readonly Conversion[]>();
  const stop = interruptible();
  const say = sayUnless(flags.quiet);
  const bar = progress("corrupting", work.length, run.records.length, say);
  try {
    const done = new Set(run.records.map((r) => r.index));
    for (const [index, { file, name, corrupting, to }] of work.entries()) {
      if (done.has(index)) continue;
      if (stop.signal.aborted) break;
      const record = { index, sample: to };
      try {
        const image = await readImage(file);
        converted.set(file, conversionsOf(image));
        const picture = corruptImage(image, name, corrupting);
        mkdirSync(dirname(join(out, to)), { recursive: true });
        run.write(to, await encodeImage(picture));
        run.append([record]);
      } catch (error) {
        if (error instanceof Error && error.name !== "DataError") throw error;
        run.append([{ ...record, error: sentenceOf(error) }]);
      }
      bar.update(run.records.length, to);
    }
    bar.stop();
    const conversions = conversionText(countConversions([...converted.values()]), "rounded to 8");
    if (conversions !== "") say(`note: pictures that were converted as they were read: ${conversions}\n`);
    return report(run, work.length, out);
  } finally {
    bar.stop();
    stop.done();
    run.close();
  }
}

function report(run: RunDirectory<RunRecord>, total: number, out: string): number {
  const failed = run.records.filter((r) => r.error !== undefined);
  for (const { error } of failed.slice(0, 5)) toStandardError(`${error}\n`);
  if (failed.length > 5) toStandardError(`... and ${failed.length - 5} more, in ${join(out, "records.jsonl")}\n`);
  if (run.records.length < total) {
    toStandardError(`${run.records.length} of ${total} pictures are written; repeat the command to go on.\n`);
    return 130;
  }
  process.stdout.write(
    `${total - failed.length} picture${total - failed.length === 1 ? "" : "s"} in ${out}${failed.length > 0 ? `; ${failed.length} could not be read` : ""}\n`,
  );
  return failed.length > 0 ? 3 : 0;
}

async function picturesOf(path: string): Promise<{ readonly file: string; readonly name: string }[]> {
  if (existsSync(path) && statSync(path).isFile()) return [{ file: path, name: stem(basename(path)) }];
  const files = await imagesBelow(path);
  if (files.length === 0) throw new UsageError(`${path} holds no pictures.`);
  return files.map((file) => ({ file, name: stem(relative(path, file).split(sep).join("/")) }));
}

const stem = (name: string): string => name.slice(0, name.length - extname(name).length);

/** @throws UsageError where two pictures would become one file, or one that is read would be overwritten. */
function workOf(files: readonly { file: string; name: string }[], chosen: readonly Corrupting[], out: string): Work[] {
  const work = chosen.flatMap((corrupting) =>
    files.map(({ file, name }) => {
      const within = chosen.length > 1 ? `${corrupting.corruption.name}/${corrupting.severity}/` : "";
      return { file, name, corrupting, to: `${within}${name}.png` };
    }),
  );
  const writers = new Map<string, string>();
  for (const { file, to } of work) {
    const other = writers.get(to);
    if (other !== undefined) throw new UsageError(`${other} and ${file} would both become ${join(out, to)}; rename one of them.`);
    writers.set(to, file);
  }
  const own = new Set(files.map(({ file }) => resolve(file)));
  const over = work.find(({ to }) => own.has(resolve(out, to)));
  if (over) throw new UsageError(`--out ${out}: ${over.to} would overwrite what is read; name another folder.`);
  return work;
}

const digest = (lines: readonly string[]): string => createHash("sha256").update(lines.join("\n")).digest("hex");

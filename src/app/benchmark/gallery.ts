import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AttackRecord } from "../attack/run-attack.js";
import { type Headline, headline } from "../report/headline.js";
import { readRecords } from "../runs/run-directory.js";
import { isUnattacked, type Row } from "./runs.js";
import type { Board } from "./standing.js";

/** A run's saved images, small. */
export interface Gallery {
  readonly row: Row;
  readonly pictures: readonly Picture[];
}

export interface Picture {
  readonly sample: string;
  /** A data URI. */
  readonly source: string;
  /** What became of the sample's number. */
  readonly before: string;
  readonly after: string;
}

/** Pictures in one report, so that it can be mailed: at 3 kB each, about 1.5 MB of text. */
const mostPictures = 360;
/** Their width: twice what is shown. */
const width = 192;

/**
 * A few samples of each run, those hit hardest first; where there are more runs than pictures may be, runs are taken from all models in turn, the most
 * damaging first.
 *
 * @param each samples of a run, at most.
 */
export async function galleriesOf(
  boards: readonly Board[],
  each: number,
): Promise<{ readonly galleries: readonly Gallery[]; readonly left: number }> {
  const turns = boards.flatMap(({ group: { metric }, standings }) =>
    standings.map(({ attacked, corrupted }) => {
      const sign = metric.better === "higher" ? 1 : -1;
      const order = (list: readonly { readonly row: Row; readonly value: number | null }[]) =>
        list
          .toSorted(
            (a, b) => sign * ((a.value ?? Number.POSITIVE_INFINITY * sign) - (b.value ?? Number.POSITIVE_INFINITY * sign)),
          )
          .map(({ row }) => row);
      return [...order([...attacked.values()]), ...order(corrupted.filter(({ row }) => isUnattacked(row)))];
    }),
  );
  const longest = Math.max(0, ...turns.map((t) => t.length));
  const rows = Array.from({ length: longest }, (_, i) => turns.flatMap((t) => t[i] ?? [])).flat();
  const galleries: Gallery[] = [];
  let [pictures, left] = [0, 0];
  for (const row of rows) {
    if (pictures + each > mostPictures) {
      left++;
      continue;
    }
    const gallery = await galleryOf(row, each);
    if (gallery.length > 0) galleries.push({ row, pictures: gallery });
    pictures += gallery.length;
  }
  return { galleries, left };
}

async function galleryOf(row: Row, each: number): Promise<Picture[]> {
  const file = join(row.path, "records.jsonl");
  if (each === 0 || !existsSync(file)) return [];
  const records = readRecords<AttackRecord>(file, "ignore").filter((r) => r.scores && r.files);
  const number = headline(row.plan, row.summary, records);
  const chosen = records.toSorted((a, b) => number.damage(b) - number.damage(a) || a.index - b.index).slice(0, each);
  const pictures = await Promise.all(chosen.map((record) => pictureOf(row, number, record)));
  return pictures.flatMap((p) => p ?? []);
}

async function pictureOf(row: Row, number: Headline, record: AttackRecord): Promise<Picture | undefined> {
  const [role] = row.plan.threat.perturb ?? Object.keys(record.files!);
  const path = join(row.path, record.files![role!] ?? "");
  if (!existsSync(path)) return undefined;
  const { default: sharp } = await import("sharp");
  const small = sharp(await readFile(path)).resize({ width, height: width, fit: "inside", withoutEnlargement: true });
  const bytes = await small.webp({ quality: 72, effort: 4 }).toBuffer();
  return {
    sample: record.sample,
    source: `data:image/webp;base64,${bytes.toString("base64")}`,
    before: number.each(number.of(record, "clean")),
    after: number.each(number.of(record, "adversarial")),
  };
}

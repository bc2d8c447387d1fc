/** Data sets in a few large files: which there are, and which belong to a split. */
import { basename, dirname, join } from "node:path";
import { DataError } from "../error.js";
import { filesIn, foldersIn, isFile, stem } from "./files.js";

export interface Shard {
  readonly path: string;
  /** The file's name without its extension. */
  readonly name: string;
  readonly split: string;
  /** "of 5", where the name says so. */
  readonly of?: number;
}

/** Splits that are taken where none is named, the likeliest first. */
const usual = ["validation", "val", "valid", "dev", "test", "train"];
/** Beyond as many folders nobody looks for shards in them: they are the classes of a data set. */
const mostFolders = 64;

/**
 * The shards at a place: the file itself, or the files of a folder, of the folders in it and of those in them, in natural order.
 *
 * A file's split is its name without the number of the shard: train-00000-of-00005.parquet and train-000003.tar are of "train". Where nothing is left, it is
 * the name of its folder.
 */
export async function shardsAt(root: string, extension: string): Promise<Shard[]> {
  if (await isFile(root)) return root.toLowerCase().endsWith(extension) ? [shardOf(root)] : [];
  const paths: string[] = [];
  const visit = async (folder: string, deeper: number): Promise<void> => {
    paths.push(...(await filesIn(folder, [extension])).map((name) => join(folder, name)));
    if (deeper === 0) return;
    const folders = await foldersIn(folder);
    if (folders.length <= mostFolders) for (const name of folders) await visit(join(folder, name), deeper - 1);
  };
  await visit(root, 2);
  return paths.map(shardOf);
}

function shardOf(path: string): Shard {
  const name = stem(basename(path));
  const counted = /^(.*?)[-_.]?(\d+)-of-(\d+)(?:-[0-9a-f]+)?$/.exec(name);
  const prefix = counted ? counted[1]! : name.replace(/[-_.]?\d+$/, "");
  return { path, name, split: prefix || basename(dirname(path)), ...(counted && { of: Number(counted[3]) }) };
}

/**
 * The shards of a split; of the likeliest where none is named.
 *
 * @throws DataError where there is no such split.
 */
export function shardsOf(shards: readonly Shard[], split: string | undefined, root: string): Shard[] {
  const splits = [...new Set(shards.map((s) => s.split))];
  const chosen = split ?? usual.find((name) => splits.includes(name)) ?? splits[0];
  const found = shards.filter((s) => s.split === chosen);
  if (found.length === 0) throw new DataError(`${root} has no split "${split}"; it has ${splits.join(", ")}.`);
  return found;
}

/** "3 shards of the split train from DIR", and how many are missing where the names tell. */
export function describeShards(shards: readonly Shard[], root: string): string {
  const [first] = shards;
  const missing = first?.of !== undefined && first.of > shards.length ? ` of ${first.of} (the others are not there)` : "";
  return `${shards.length === 1 && missing === "" ? "1 shard" : `${shards.length}${missing} shards`} of the split ${first?.split} from ${root}`;
}

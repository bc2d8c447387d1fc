import { distinctNames } from "../distinct-names.js";
import type { Suite } from "../evaluate/suite.js";
import { readTransfers, type TransferFrom } from "../evaluate/transfer-from.js";
import { RunError } from "../runs/error.js";
import { type Card, cardsOf } from "./card.js";
import { type Found, type FoundRun, findRuns } from "./find.js";
import { type Gallery, galleriesOf } from "./gallery.js";
import { groupsOf } from "./groups.js";
import { type Others, readOthers } from "./others.js";
import { type Row, readRows } from "./runs.js";
import { type Board, boardOf } from "./standing.js";

/** Many runs together: what tables, pages and cards are made from. */
export interface Benchmark {
  /** Attack runs, by groups whose numbers compare. */
  readonly boards: readonly Board[];
  readonly rows: readonly Row[];
  readonly cards: readonly Card[];
  readonly others: Others;
  /** Images of other runs, measured within a suite. */
  readonly transfers: readonly TransferFrom[];
  readonly galleries: readonly Gallery[];
  /** Runs whose images are left out. */
  readonly galleriesLeft: number;
  readonly unfinished: readonly string[];
  readonly failed: readonly (FoundRun & { readonly name: string })[];
  /** By paths: where the files of a run were taken from. */
  readonly cached: ReadonlyMap<string, string>;
}

export interface BenchmarkOptions {
  /** Of Faultline, as cards name it. */
  readonly version: string;
  /** What the models were put through, where it was a suite. */
  readonly suite?: Suite;
  /** Images of each run in the page. Default 4. */
  readonly pictures?: number;
  /** Where plugins may lie that have been moved. */
  readonly plugins?: readonly string[];
}

/**
 * Reads all runs that paths stand for: attack runs, sweeps, suites, criticality, spectra.
 *
 * @throws RunError where there is none that is finished.
 */
export async function readBenchmark(
  paths: readonly string[],
  { version, suite, pictures = 4, plugins }: BenchmarkOptions,
): Promise<Benchmark> {
  const found = findRuns(paths);
  const nameOf = namesOf(found);
  const rows = await readRows(
    found.attacks.map((r) => r.path),
    found.attacks.map((r) => nameOf(r.path)),
    plugins,
  );
  const others = readOthers(found.criticality, found.spectra, nameOf);
  if (rows.length + others.criticality.length + others.spectra.length === 0) {
    const [first] = [...found.unfinished, ...found.failed];
    throw new RunError(
      `not one run is finished (${first?.path}${first?.because ? `: ${first.because}` : " has no summary.json"}); repeat the command that made it.`,
    );
  }
  const boards = groupsOf(rows).map(boardOf);
  const transfers = found.transfers.flatMap(({ path }) => readTransfers(path));
  const { galleries, left } = await galleriesOf(boards, pictures);
  return {
    boards,
    rows,
    cards: boards.flatMap((board) => cardsOf(board, version, suite, transfers)),
    others,
    transfers,
    galleries,
    galleriesLeft: left,
    unfinished: found.unfinished.map((r) => nameOf(r.path)),
    failed: found.failed.map((r) => ({ ...r, name: nameOf(r.path) })),
    cached: new Map(found.attacks.flatMap(({ path, from }) => (from === undefined ? [] : [[path, from] as const]))),
  };
}

/** What runs are called beside each other. */
function namesOf(found: Found): (path: string) => string {
  const { transfers: _, ...ran } = found;
  const paths = Object.values(ran).flatMap((runs: readonly FoundRun[]) => runs.map((r) => r.path));
  const names = new Map(distinctNames(paths).map((name, i) => [paths[i]!, name]));
  return (path) => names.get(path)!;
}

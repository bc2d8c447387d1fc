/**
 * AutoAttack, Square and SimBA beside the packages that have them, at equal settings: trains the networks, runs both sides, writes results.json and a
 * table in docs/peers.md.
 *
 *     npx tsx bench/peers/autoattack/compare.ts --python PATH [--only networks|ours|peers|table] [--rows TEXT] [--seeds 0,1] [--parts 0,1]
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import config from "./config.json" with { type: "json" };
import { nameOf, partsOf, type Row, rows } from "./rows.js";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");

/** What one side found of one row with one seed; numbers of digits, all parts together. */
interface Found {
  readonly name: string;
  readonly seed: number;
  /** What measured it: our commit, or the package and its version. */
  readonly by: string;
  readonly images: number;
  readonly clean: number;
  readonly right: number;
  /** What is right after each attack. */
  readonly turns?: Readonly<Record<string, number>>;
  /** Which digits are right, from equal starts. */
  readonly digits?: readonly number[];
  /** Perturbations that broke a picture: how many, and their sizes in l_2 together. */
  readonly broken?: number;
  readonly length?: number;
  /** Predictions that were asked for in breaking them. */
  readonly queries?: number;
  /** Seconds of processor time. */
  readonly cpu: number;
}

const order = ["apgd-ce", "apgd-t", "fab-t", "square"];

function joined(parts: readonly Found[]): Found {
  const sum = (of: (part: Found) => number) => parts.reduce((total, part) => total + of(part), 0);
  const [first] = parts as [Found];
  return {
    ...first,
    by: [...new Set(parts.map((p) => p.by))].join(", "),
    images: sum((p) => p.images),
    clean: sum((p) => p.clean),
    right: sum((p) => p.right),
    ...(first.turns && { turns: Object.fromEntries(order.map((turn) => [turn, sum((p) => p.turns?.[turn] ?? p.right)])) }),
    ...(first.digits && { digits: parts.flatMap((p) => p.digits!) }),
    broken: sum((p) => p.broken ?? 0),
    length: sum((p) => p.length ?? 0),
    ...(first.queries !== undefined && { queries: sum((p) => p.queries ?? 0) }),
    cpu: sum((p) => p.cpu),
  };
}

/** What was found of one row, seed by seed, the same digits by both sides. */
interface Pair {
  readonly ours: readonly Found[];
  readonly peers: readonly Found[];
}

/**
 * What was found of each row by both sides, of the parts that both have. What results.json has of a seed stays where there is not as much of it in the working folder;
 * of the seeds, those of the most digits count.
 */
function collect(work: string, results: string): { row: Row; ours: readonly Found[]; peers: readonly Found[] }[] {
  const earlier = JSON.parse(readFileSync(results, "utf8")) as readonly Pair[];
  return rows.flatMap((row) => {
    const file = (side: string, seed: number, part: number) =>
      join(work, `${side}-${nameOf(row).replaceAll(" ", "-")}-${seed}-${part}.json`);
    const anew = (seed: number) => {
      const both = partsOf(row).filter((part) => ["ours", "peers"].every((side) => existsSync(file(side, seed, part))));
      const read = (side: string) =>
        joined(both.map((part) => JSON.parse(readFileSync(file(side, seed, part), "utf8")) as Found));
      return both.length > 0 ? { ours: read("ours"), peers: read("peers") } : undefined;
    };
    const kept = earlier.find(({ ours }) => ours[0]!.name === nameOf(row));
    const pairs = config.seeds.flatMap((seed) => {
      const of = (found: readonly Found[] | undefined) => found?.find((f) => f.seed === seed);
      const [ours, peers, fresh] = [of(kept?.ours), of(kept?.peers), anew(seed)];
      if (fresh && fresh.ours.images >= (ours?.images ?? 0)) return [fresh];
      return ours && peers ? [{ ours, peers }] : [];
    });
    const most = Math.max(...pairs.map(({ ours }) => ours.images));
    const whole = pairs.filter(({ ours }) => ours.images === most);
    return whole.length > 0 ? [{ row, ours: whole.map(({ ours }) => ours), peers: whole.map(({ peers }) => peers) }] : [];
  });
}

/** Mean, and half of what lies between the least and the greatest where there are several seeds. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.length === 1
    ? mean.toFixed(1)
    : `${mean.toFixed(1)} ± ${((Math.max(...values) - Math.min(...values)) / 2).toFixed(1)}`;
}

const percent = (count: number, { images }: Found): number => (100 * count) / images;

const markdown = (head: readonly string[], body: readonly (readonly string[])[]): string =>
  [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

function table(found: ReturnType<typeof collect>): string {
  const whole = found
    .filter(({ row }) => row.attack === undefined)
    .flatMap(({ row, ours, peers }) =>
      [ours, peers].map((all) => [
        `${row.network}, ${row.norm}, ${row.epsilon}`,
        [...new Set(all.flatMap(({ by }) => by.split(", ")))].join(", "),
        String(all[0]!.images),
        String(all.length),
        spread(all.map((f) => percent(f.clean, f))),
        ...order.map((turn) => spread(all.map((f) => percent(f.turns?.[turn] ?? f.right, f)))),
        spread(all.map((f) => f.cpu)),
      ]),
    );
  const equal = found
    .filter(({ row }) => row.attack === "equal-starts")
    .map(({ row, ours, peers }) => {
      const [own, other] = [ours[0]!, peers[0]!];
      const same = own.digits!.filter((right, i) => right === other.digits![i]).length;
      return [`${row.network}, ${row.norm}, ${row.epsilon}`, String(own.right), String(other.right), `${same} of ${own.images}`];
    });
  const more = found
    .filter(({ row }) => row.queries !== undefined)
    .map(({ row, ours, peers }) => [
      nameOf(row),
      String(row.queries),
      String(ours[0]!.images),
      ours[0]!.by,
      peers[0]!.by,
      ...[ours, peers].map((all) => {
        const each = (of: (f: Found) => number) => spread(all.map((f) => of(f) / Math.max(1, f.broken!)));
        const effort = row.basis ? ` (${each((f) => f.length!)}; ${each((f) => f.queries!)} queries)` : "";
        return `${spread(all.map((f) => percent(f.right, f)))}${effort}`;
      }),
    ]);
  const parts = [
    whole.length > 0 &&
      markdown(
        [
          "network, norm, radius",
          "by",
          "digits",
          "seeds",
          "clean",
          "APGD-CE",
          "APGD-T",
          "FAB-T",
          "Square",
          "seconds of processor time",
        ],
        whole,
      ),
    equal.length > 0 && markdown(["APGD-T from equal starts", "right, Faultline", "right, pyautoattack", "same verdict"], equal),
    more.length > 0 && markdown(["attack", "queries", "digits", "by", "package", "right, Faultline", "right, package"], more),
  ];
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    only: { type: "string" },
    rows: { type: "string", default: "" },
    seeds: { type: "string", default: config.seeds.join() },
    parts: { type: "string", default: "" },
    work: { type: "string", default: join(root, "runs/peers-autoattack") },
  },
});
const wanted = (part: string) => values.only === undefined || values.only === part;
const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: "inherit", cwd: root });
if (wanted("networks")) run(values.python, join(here, "networks.py"), values.work);
if (wanted("ours")) run("npx", "tsx", join(here, "ours.ts"), values.work, values.rows, values.seeds, values.parts);
if (wanted("peers")) run(values.python, join(here, "peers.py"), values.work, values.rows, values.seeds, values.parts);
if (wanted("table")) {
  const results = join(here, "results.json");
  const found = collect(values.work, results);
  writeFileSync(
    results,
    `${JSON.stringify(
      found.map(({ ours, peers }) => ({ ours, peers })),
      undefined,
      1,
    )}\n`,
  );
  const page = join(root, "docs/peers.md");
  const [begin, end] = ["<!-- autoattack: begin -->\n", "<!-- autoattack: end -->"];
  const text = readFileSync(page, "utf8");
  writeFileSync(page, `${text.split(begin)[0]}${begin}\n${table(found)}\n${end}${text.split(end)[1]}`);
}

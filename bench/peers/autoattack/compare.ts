/**
 * AutoAttack, Square and SimBA beside the packages that have them, at equal settings: trains the networks, runs both sides, writes results.json and a
 * table in docs/peers.md.
 *
 *     npx tsx bench/peers/autoattack/compare.ts --python PATH [--only networks|ours|peers|table] [--rows TEXT] [--seeds 0,1]
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import config from "./config.json" with { type: "json" };

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");

interface Found {
  readonly name: string;
  readonly seed: number;
  readonly clean: number;
  readonly right: number;
  /** Robust accuracy after each attack. */
  readonly turns?: Readonly<Record<string, number>>;
  /** Mean l_2 of the perturbations that broke a picture. */
  readonly length?: number;
  /** Seconds of processor time. */
  readonly cpu: number;
}

const nameOf = (row: (typeof config.rows)[number] | (typeof config.blackBox)[number]): string =>
  "attack" in row ? `${row.attack} ${row.network} ${row.norm ?? row.basis}` : `autoattack ${row.network} ${row.norm}`;

/** What was found of each row by both sides, seed by seed; rows that one side has not are left out. */
function collect(
  work: string,
): { row: (typeof config.rows)[number] | (typeof config.blackBox)[number]; ours: Found[]; peers: Found[] }[] {
  const read = (side: string, name: string) =>
    config.seeds.flatMap((seed) => {
      const file = join(work, `${side}-${name.replaceAll(" ", "-")}-${seed}.json`);
      return existsSync(file) ? [JSON.parse(readFileSync(file, "utf8")) as Found] : [];
    });
  return [...config.rows, ...config.blackBox].flatMap((row) => {
    const [ours, peers] = [read("ours", nameOf(row)), read("peers", nameOf(row))];
    return ours.length > 0 && peers.length > 0 ? [{ row, ours, peers }] : [];
  });
}

/** Mean, and half of what lies between the least and the greatest where there are several seeds. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.length === 1
    ? mean.toFixed(1)
    : `${mean.toFixed(1)} ± ${((Math.max(...values) - Math.min(...values)) / 2).toFixed(1)}`;
}

function table(rows: ReturnType<typeof collect>): string {
  const order = ["apgd-ce", "apgd-t", "fab-t", "square"];
  const turns = (found: readonly Found[]) => order.map((turn) => spread(found.map((f) => f.turns?.[turn] ?? f.right))).join(", ");
  const own = rows.filter(({ row }) => !("attack" in row));
  const others = rows.filter(({ row }) => "attack" in row);
  const lines = own.map(({ row, ours, peers }) => [
    `${row.network}, ${row.norm}, ${row.epsilon}`,
    spread(ours.map((f) => f.clean)),
    turns(ours),
    turns(peers),
    `${ours.length}, ${peers.length}`,
  ]);
  const more = others.map(({ row, ours, peers }) => [
    nameOf(row),
    ...[ours, peers].map((found) =>
      "basis" in row && row.basis
        ? `${spread(found.map((f) => f.right))} (${(found[0]!.length ?? 0).toFixed(2)})`
        : spread(found.map((f) => f.right)),
    ),
    `${ours.length}, ${peers.length}`,
  ]);
  const markdown = (head: readonly string[], body: readonly (readonly string[])[]) =>
    [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return `${markdown(["network, norm, radius", "clean", "Faultline: after APGD-CE, APGD-T, FAB-T, Square", "pyautoattack", "seeds"], lines)}
${more.length === 0 ? "" : `\n${markdown(["attack", "Faultline", "package", "seeds"], more)}\n`}`;
}

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    only: { type: "string" },
    rows: { type: "string", default: "" },
    seeds: { type: "string", default: config.seeds.join() },
    work: { type: "string", default: join(root, "runs/peers-autoattack") },
  },
});
const wanted = (part: string) => values.only === undefined || values.only === part;
const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: "inherit", cwd: root });
if (wanted("networks")) run(values.python, join(here, "networks.py"), values.work);
if (wanted("ours")) run("npx", "tsx", join(here, "ours.ts"), values.work, values.rows, values.seeds);
if (wanted("peers")) run(values.python, join(here, "peers.py"), values.work, values.rows, values.seeds);
if (wanted("table")) {
  const rows = collect(values.work);
  writeFileSync(
    join(here, "results.json"),
    `${JSON.stringify(
      rows.map(({ ours, peers }) => ({ ours, peers })),
      undefined,
      1,
    )}\n`,
  );
  const page = join(root, "docs/peers.md");
  const [begin, end] = ["<!-- autoattack: begin -->\n", "<!-- autoattack: end -->"];
  const text = readFileSync(page, "utf8");
  writeFileSync(page, `${text.split(begin)[0]}${begin}\n${table(rows)}\n${end}${text.split(end)[1]}`);
}

/**
 * The smallest perturbations that our attacks find beside those of foolbox and pyautoattack, at equal settings: trains the networks of ../attacks, attacks
 * them by the command line and by the packages, measures all images by the same PyTorch network, and writes results.json and the table of docs/peers.md.
 *
 *     npx tsx bench/peers/minimal-norm/compare.ts --python PATH [--only networks|ours|peers|table] [--rows TEXT]
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { main } from "../../../src/app/cli/main.js";
import config from "./config.json" with { type: "json" };

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const work = join(root, "runs/minimal-norm");
const networks = ["digits-relu", "digits-smooth"];

interface Results {
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly {
    readonly network: string;
    readonly title: string;
    readonly norm: string;
    readonly pictures: number;
    /** null where half of the digits were never broken. */
    readonly median: Readonly<Record<string, number | null>>;
    readonly parts: Readonly<Record<string, readonly (number | null)[]>>;
    readonly unbroken: Readonly<Record<string, number>>;
    readonly smaller: number;
  }[];
}

/** Each row on each network by the command line, in this process. */
async function ours(rows: string): Promise<void> {
  for (const { title, ours: flags } of config.rows) {
    for (const network of networks) {
      if (!`${network} ${title}`.includes(rows)) continue;
      const out = join(work, `${network} ${title.replace("&", "and")}.safetensors`);
      if (existsSync(out)) continue;
      const data = join(work, `${network}.safetensors`);
      const code = await main([
        ...["attack", join(work, `${network}.onnx`), "--task", "classification", "--range", "0..1", "--meaning", "logits"],
        ...[...flags.split(" "), "--input", data, "--target", data, "--goal", "untargeted", "--threads", "1", "--out", out],
      ]);
      if (code !== 0) throw new Error(`${network}, ${title}: ${flags}`);
    }
  }
}

const text = (v: number, norm: string) => (norm === "l_0" ? String(v) : v.toPrecision(4));

/** The median over all pictures, and half of what lies between the parts' medians. */
function spread(row: Results["rows"][number], who: string): string {
  const median = row.median[who];
  const parts = row.parts[who]!.filter((part) => part !== null);
  if (median == null) return "half never broken";
  return `${text(median, row.norm)} ± ${((Math.max(...parts) - Math.min(...parts)) / 2).toPrecision(2)}`;
}

function table(): string {
  const { rows, versions } = JSON.parse(readFileSync(join(here, "results.json"), "utf8")) as Results;
  const head = ["network", "attack", "Faultline", "peer", "ratio", "no larger", "never broken"];
  const lines = rows.map((row) => {
    const peer = Object.keys(row.median).find((who) => who !== "faultline")!;
    return [
      row.network,
      row.title,
      spread(row, "faultline"),
      `${spread(row, peer)} (${peer})`,
      row.median.faultline == null || row.median[peer] == null ? "" : (row.median.faultline / row.median[peer]).toFixed(3),
      `${(100 * row.smaller).toFixed(0)} %`,
      `${row.unbroken.faultline} / ${row.unbroken[peer]}`,
    ];
  });
  const markdown = [head, head.map((_, i) => (i < 2 ? "---" : "---:")), ...lines].map((cells) => `| ${cells.join(" | ")} |`);
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${markdown.join("\n")}\n\nPackages: ${packages.join(", ")}.\n`;
}

const { values } = parseArgs({
  options: { python: { type: "string", default: "python3" }, only: { type: "string" }, rows: { type: "string", default: "" } },
});
const wanted = (part: string) => values.only === undefined || values.only === part;
mkdirSync(work, { recursive: true });
if (wanted("networks")) execFileSync(values.python, [join(here, "peers.py"), work, "networks"], { stdio: "inherit" });
if (wanted("ours")) await ours(values.rows);
if (wanted("peers")) execFileSync(values.python, [join(here, "peers.py"), work, "results", values.rows], { stdio: "inherit" });
if (wanted("table")) {
  const page = join(root, "docs/peers.md");
  const [begin, end] = ["<!-- smallest: begin -->\n", "<!-- smallest: end -->"];
  const written = readFileSync(page, "utf8");
  writeFileSync(page, `${written.split(begin)[0]}${begin}\n${table()}\n${end}${written.split(end)[1]}`);
}

/**
 * Our attacks beside those of torchattacks, foolbox, pyautoattack and cospgd, at equal settings and seeds: trains the networks, attacks them by the
 * command line and by the packages, scores all images alike, and writes results.json and docs/peers.md.
 *
 *     npx tsx bench/peers/attacks/compare.ts --python PATH [--only networks|ours|peers|table] [--rows TEXT]
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
const work = join(root, "runs/peers");

interface Results {
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly {
    readonly network: string;
    readonly title: string;
    readonly clean: number;
    readonly found: Readonly<Record<string, readonly number[]>>;
    /** Largest perturbation in the row's norm. */
    readonly largest: Readonly<Record<string, number>>;
    /** Share of pixels on which the two agree, by seed, where both start from the same noise. */
    readonly same?: readonly number[];
  }[];
}

function networks(python: string): void {
  mkdirSync(work, { recursive: true });
  execFileSync("npx", ["tsx", join(here, "scenes.ts"), join(work, "scenes.safetensors")], { stdio: "inherit" });
  execFileSync(python, [join(here, "networks.py"), work], { stdio: "inherit" });
}

/** Named by what it holds, so that rows may be added and moved. */
const fileOf = ({ network, title }: { network: string; title: string }, seed: number): string =>
  join(work, `${`ours ${network} ${title} ${seed}`.replaceAll(/[^A-Za-z0-9.]+/g, "-")}.safetensors`);

/** Each seed of the rows whose network and title hold `rows`, by the command line, in this process. */
async function ours(rows: string): Promise<void> {
  for (const row of config.rows) {
    const { network, title, ours: flags } = row;
    if (!`${network} ${title}`.includes(rows)) continue;
    const task = network === "scenes" ? "segmentation" : "classification";
    for (const seed of config.seeds) {
      const out = fileOf(row, seed);
      if (existsSync(out)) continue;
      const scenes = network === "scenes";
      const model = scenes ? join(root, "fixtures/models/segmenter.onnx") : join(work, `${network}.onnx`);
      const data = join(work, `${network}.safetensors`);
      const start = scenes || "start" in row ? ["--start", join(work, `${network}-start-${seed}.safetensors`)] : [];
      const code = await main([
        ...[
          "attack",
          model,
          "--task",
          task,
          "--range",
          "0..1",
          "--meaning",
          "logits",
          ...flags.split(" "),
          "--seed",
          String(seed),
        ],
        ...["--input", data, "--target", data, "--goal", "untargeted", ...start, "--threads", "1", "--out", out],
      ]);
      if (code !== 0) throw new Error(`${network}, ${title}: ${flags}`);
    }
  }
}

/** Mean, and half of what lies between the least and the greatest. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return `${mean.toFixed(1)} ± ${((Math.max(...values) - Math.min(...values)) / 2).toFixed(1)}`;
}

function table(): string {
  const { rows, versions } = JSON.parse(readFileSync(join(here, "results.json"), "utf8")) as Results;
  const named = ["torchattacks", "foolbox", "pyautoattack", "cospgd"];
  const sections = [...new Set(rows.map((r) => r.network))].map((network) => {
    const own = rows.filter((r) => r.network === network);
    const columns = named.filter((p) => own.some((r) => r.found[p]));
    const same = own.some((r) => r.same);
    const head = ["attack", "Faultline", ...columns, ...(same ? ["same pixels"] : [])];
    const lines = own.map((r) => [
      r.title,
      spread(r.found.faultline!),
      ...columns.map((p) => (r.found[p] ? spread(r.found[p]) : "")),
      ...(same ? [r.same ? Math.min(...r.same).toFixed(3) : ""] : []),
    ]);
    const markdown = [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...lines].map((cells) => `| ${cells.join(" | ")} |`);
    return `### ${network} (clean ${own[0]!.clean.toFixed(1)})\n\n${markdown.join("\n")}\n`;
  });
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${sections.join("\n")}\nPackages: ${packages.join(", ")}.\n`;
}

const { values } = parseArgs({
  options: { python: { type: "string", default: "python3" }, only: { type: "string" }, rows: { type: "string", default: "" } },
});
const wanted = (part: string) => values.only === undefined || values.only === part;
if (wanted("networks")) networks(values.python);
if (wanted("ours")) await ours(values.rows);
if (wanted("peers")) execFileSync(values.python, [join(here, "peers.py"), work, values.rows], { stdio: "inherit" });
if (wanted("table")) {
  const page = join(root, "docs/peers.md");
  const [begin, end] = ["<!-- results: begin -->\n", "<!-- results: end -->"];
  const text = readFileSync(page, "utf8");
  writeFileSync(page, `${text.split(begin)[0]}${begin}\n${table()}\n${end}${text.split(end)[1]}`);
}

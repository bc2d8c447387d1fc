/**
 * Success of adversarial images on a second network, by our transfer attacks and those of torchattacks, at equal settings: trains two networks, attacks each,
 * measures on the other, writes results.json and a section of docs/peers.md.
 *
 *     npx tsx bench/peers/transfer/compare.ts --python PATH [--only networks|ours|peers|table]
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { main } from "../../../src/app/cli/main.js";
import config from "./config.json" with { type: "json" };

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../../..");
const work = join(root, "runs/peers-transfer");

interface Results {
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly {
    readonly source: string;
    readonly other: string;
    readonly title: string;
    readonly open: number;
    readonly success: Readonly<Record<"faultline" | "torchattacks", readonly number[]>>;
    readonly source_right: Readonly<Record<"faultline" | "torchattacks", readonly number[]>>;
    readonly same: readonly number[];
  }[];
}

const fileOf = (source: string, title: string, seed: number): string =>
  join(work, `${`ours ${source} ${title} ${seed}`.replaceAll(/[^A-Za-z0-9.]+/g, "-")}.safetensors`);

async function ours(): Promise<void> {
  const data = join(work, "digits.safetensors");
  const model = ["--task", "classification", "--range", "0..1", "--meaning", "logits", "--threads", "1"];
  const budget = ["--epsilon", String(config.epsilon), "--step-size", "0.01", "--steps", "20"];
  for (const [source] of config.directions as [string, string][])
    for (const { title, ours: flags } of config.rows)
      for (const seed of config.seeds) {
        const out = fileOf(source, title, seed);
        if (existsSync(out)) continue;
        const tensors = ["--input", data, "--target", data, "--goal", "untargeted", "--seed", String(seed), "--out", out];
        if ((await main(["attack", join(work, `${source}.onnx`), ...model, ...flags.split(" "), ...budget, ...tensors])) !== 0)
          throw new Error(`${source}, ${title}`);
      }
}

/** Mean, and half of what lies between the least and the greatest. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return `${mean.toFixed(1)} ± ${((Math.max(...values) - Math.min(...values)) / 2).toFixed(1)}`;
}

function table(): string {
  const { rows, versions } = JSON.parse(readFileSync(join(here, "results.json"), "utf8")) as Results;
  const sections = config.directions.map(([source, other]) => {
    const own = rows.filter((r) => r.source === source);
    const lines = own.map(
      ({ title, success, source_right, same }) =>
        `| ${title} | ${spread(success.faultline)} | ${spread(success.torchattacks)} | ${spread(source_right.faultline)} | ${spread(source_right.torchattacks)} | ${Math.min(...same).toFixed(3)} |`,
    );
    return `Made on \`${source}\`, shown to \`${other}\` (${own[0]!.open} digits that it has right):\n\n| attack | Faultline, success there | torchattacks | Faultline, right on the attacked | torchattacks | same pixels |\n|---|---:|---:|---:|---:|---:|\n${lines.join("\n")}\n`;
  });
  return `${sections.join("\n")}\nPackages: ${Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ")}.\n`;
}

const { values } = parseArgs({ options: { python: { type: "string", default: "python3" }, only: { type: "string" } } });
const wanted = (part: string) => values.only === undefined || values.only === part;
mkdirSync(work, { recursive: true });
if (wanted("networks")) execFileSync(values.python, [join(here, "peers.py"), "networks", work], { stdio: "inherit" });
if (wanted("ours")) await ours();
if (wanted("peers")) execFileSync(values.python, [join(here, "peers.py"), "peers", work], { stdio: "inherit" });
if (wanted("table")) {
  const page = join(root, "docs/peers.md");
  const [begin, end] = ["<!-- transfer: begin -->\n", "<!-- transfer: end -->"];
  const text = readFileSync(page, "utf8");
  writeFileSync(page, `${text.split(begin)[0]}${begin}\n${table()}\n${end}${text.split(end)[1]}`);
}

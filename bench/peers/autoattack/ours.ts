/**
 * Our side: attacks each row of config.json with each seed and writes WORK/ours-....json: `npx tsx bench/peers/autoattack/ours.ts WORK [ROWS [SEEDS]]`.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Attack, attack, autoattack, loadModel, readTensors, simba, square, tensor } from "../../../src/index.js";
import config from "./config.json" with { type: "json" };

const [work, wanted = "", seeds = config.seeds.join()] = process.argv.slice(2) as [string, string?, string?];
const data = await readTensors(join(work, "digits.safetensors"));

type Row = (typeof config.rows)[number] | (typeof config.blackBox)[number];

function attackOf(row: Row): Attack {
  if (!("attack" in row)) return autoattack({ norm: row.norm as "l_inf", epsilon: row.epsilon }) as unknown as Attack;
  if (row.attack === "square")
    return square({ norm: row.norm as "l_inf", epsilon: row.epsilon!, queries: row.queries }) as unknown as Attack;
  return simba({ queries: row.queries, basis: row.basis as "pixel", frequencies: 1 }) as unknown as Attack;
}

const nameOf = (row: Row): string =>
  "attack" in row ? `${row.attack} ${row.network} ${row.norm ?? row.basis}` : `autoattack ${row.network} ${row.norm}`;

for (const seed of seeds.split(",").map(Number))
  for (const row of [...config.rows, ...config.blackBox] as readonly Row[]) {
    const name = nameOf(row);
    const out = join(work, `ours-${name.replaceAll(" ", "-")}-${seed}.json`);
    if (!name.includes(wanted) || existsSync(out)) continue;
    const model = await loadModel(join(work, `${row.network}.onnx`), { task: "classification", range: "0..1" }, { threads: 1 });
    const [images, labels] = [data.get("image")!, data.get("label")!];
    const n = 3 * 28 * 28;
    const some = tensor("float32", [row.images, 3, 28, 28], (images.data as Float32Array).slice(0, row.images * n));
    const target = tensor("int64", [row.images], [...(labels.data as BigInt64Array).slice(0, row.images)]);
    const began = process.cpuUsage();
    const result = await attack(model, some, target, attackOf(row), { seed, batch: row.images });
    const { user, system } = process.cpuUsage(began);
    const right = (correct: readonly number[]) => (100 * correct.reduce((a, b) => a + b, 0)) / row.images;
    const broken = result.success.map((won, i) => won && result.perturbation[i]! > 0);
    const over = (values: readonly number[]) =>
      values.filter((_, i) => broken[i]).reduce((a, b) => a + b, 0) / Math.max(1, broken.filter(Boolean).length);
    const found = {
      name,
      seed,
      clean: right(result.before.scores),
      right: right(result.after.scores),
      turns: Object.fromEntries(result.turns.map((turn) => [turn.attack, right(turn.correct)])),
      ...(result.found.queries && { queries: over(result.found.queries), length: over(result.perturbation) }),
      cpu: (user + system) / 1e6,
    };
    writeFileSync(out, `${JSON.stringify(found)}\n`);
    console.log(JSON.stringify(found));
    await model.dispose();
  }

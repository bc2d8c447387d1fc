/**
 * Our side: attacks each row of config.json with each seed, a part of the digits at a time, and writes WORK/ours-....json:
 * `npx tsx bench/peers/autoattack/ours.ts WORK [ROWS [SEEDS [PARTS]]]`.
 */
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Attack, apgdT, attack, autoattack, loadModel, readTensors, simba, square, tensor } from "../../../src/index.js";
import { compileAttack } from "../../../src/methods/attacks/index.js";
import config from "./config.json" with { type: "json" };
import { nameOf, partsOf, type Row, rows } from "./rows.js";

const [work, wanted = "", seeds = config.seeds.join(), parts = ""] = process.argv.slice(2) as [string, string?, string?, string?];
const size = config.part;
const commit = execFileSync("git", ["describe", "--always", "--dirty"], { cwd: import.meta.dirname, encoding: "utf8" }).trim();
const n = 3 * 28 * 28;
const data = await readTensors(join(work, "digits.safetensors"));
const starts = await readTensors(join(work, "starts.safetensors"));

function attackOf(row: Row): Attack {
  const ball = { norm: row.norm as "l_inf", epsilon: row.epsilon! };
  if (row.attack === undefined) return autoattack(ball) as unknown as Attack;
  if (row.attack === "equal-starts") {
    // As AutoAttack has it: in l_1 in larger balls first, and towards fewer classes.
    const sparse = { radii: "shrinking", targets: 5 } as const;
    return apgdT({ ...ball, steps: 100, ...(row.norm === "l_1" && sparse) }) as unknown as Attack;
  }
  if (row.attack === "square") return square({ ...ball, queries: row.queries!, windows: "released" }) as unknown as Attack;
  return simba({ queries: row.queries!, basis: row.basis as "pixel", frequencies: 1 }) as unknown as Attack;
}

for (const seed of seeds.split(",").map(Number))
  for (const row of rows)
    for (const part of parts === "" ? partsOf(row) : parts.split(",").map(Number)) {
      const name = nameOf(row);
      const out = join(work, `ours-${name.replaceAll(" ", "-")}-${seed}-${part}.json`);
      if (!name.includes(wanted) || existsSync(out) || !partsOf(row).includes(part)) continue;
      if (row.attack === "equal-starts" && seed > 0) continue;
      const model = await loadModel(join(work, `${row.network}.onnx`), { task: "classification", range: "0..1" }, { threads: 1 });
      const cut = (from: typeof data, what: string) =>
        (from.get(what)!.data as Float32Array).slice(part * size * n, (part + 1) * size * n);
      const images = tensor("float32", [size, 3, 28, 28], cut(data, "image"));
      const labels = (data.get("label")!.data as BigInt64Array).slice(part * size, (part + 1) * size);
      const target = tensor("int64", [size], [...labels]);
      const samples = Array.from({ length: size }, (_, i) => String(part * size + i));
      const began = process.cpuUsage();
      const count = (correct: Iterable<number>) => [...correct].reduce((a, b) => a + b, 0);
      let found: object;
      if (row.attack === "equal-starts") {
        const given = { count: size, height: 28, width: 28, byRole: { image: images } };
        const predictor = await model.predictor(given, size);
        const compiled = await compileAttack(model.engine, attackOf(row), { predictor, task: model.task });
        const start = { image: tensor("float32", [size, 3, 28, 28], cut(starts, "start")) };
        const { clean, correct } = await compiled.run({ images: { image: images }, target, samples, seed, start });
        found = { clean: count(clean.correct), right: count(correct), digits: [...correct] };
      } else {
        const result = await attack(model, images, target, attackOf(row), { seed, batch: size, names: samples });
        const broken = result.success.map((won, i) => won && result.perturbation[i]! > 0);
        found = {
          clean: count(result.before.scores),
          right: count(result.after.scores),
          turns: Object.fromEntries(result.turns.map((turn) => [turn.attack, count(turn.correct)])),
          broken: broken.filter(Boolean).length,
          length: count(result.perturbation.filter((_, i) => broken[i])),
          ...(result.found.queries && { queries: count(result.found.queries.filter((_, i) => broken[i])) }),
        };
      }
      const { user, system } = process.cpuUsage(began);
      const whole = { name, seed, by: `Faultline ${commit}`, images: size, ...found, cpu: (user + system) / 1e6 };
      writeFileSync(out, `${JSON.stringify(whole)}\n`);
      console.log(JSON.stringify(whole));
      await model.dispose();
    }

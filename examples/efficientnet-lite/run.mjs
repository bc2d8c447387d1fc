// Attacks what prepare.py made, and gathers results.json: node examples/efficientnet-lite/run.mjs [runs/efficientnet-lite]
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = process.argv[2] ?? "runs/efficientnet-lite";
const faultline = fileURLToPath(new URL("../../bin/faultline.js", import.meta.url));
/** Resize, then center crop: what the networks were trained for, with the usual 32 pixels around it. */
const networks = { lite0: [256, 224], lite1: [272, 240], lite2: [292, 260] };
const attacks = { pgd: ["--steps", "10"], apgd: ["--steps", "10"], ensemble: ["--steps", "10"] };
const radii = [1, 2, 4, 8];

const results = [];
for (const [attack, flags] of Object.entries(attacks)) {
  for (const [network, [shorter, crop]] of Object.entries(networks)) {
    for (const radius of radii) {
      const out = `${folder}/runs/${network}-${attack}-${radius}`;
      if (!existsSync(`${out}/summary.json`)) {
        const args = ["attack", `${folder}/efficientnet-${network}.onnx`, "--data", `${folder}/photographs`];
        const protocol = ["--shorter", String(shorter), "--crop", `${crop}x${crop}`, "--attack", attack, ...flags];
        execFileSync(
          process.execPath,
          [faultline, ...args, ...protocol, "--epsilon", `${radius}/255`, "--allow-audit", "--out", out],
          {
            stdio: "inherit",
          },
        );
      }
      const { samples, metrics } = JSON.parse(readFileSync(`${out}/summary.json`, "utf8"));
      results.push({ network, attack, radius, samples, ...metrics.truth });
      writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify(results, undefined, 1)}\n`);
    }
  }
}

/**
 * Processor time and peak memory of whole commands on small models, where loading is most of it: of this checkout as it is built, and of other built
 * checkouts beside it, in turn.
 *
 *     npm run build && npx tsx bench/commands.ts [FOLDER of another built checkout...] [--runs 9]
 *
 * Docs/large-models.md has the results. Other work on the machine disturbs this little under `chrt -r 1`.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { tensor } from "../src/engine/tensor/tensor.js";
import { writeTensors } from "../src/engine/tensor/tensor-files.js";
import { median } from "./timing.js";

const own = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals } = parseArgs({ allowPositionals: true, options: { runs: { type: "string", default: "9" } } });
const runs = Number(values.runs);
const checkouts = [own, ...positionals.map((path) => resolve(path))];
const folder = mkdtempSync(join(tmpdir(), "faultline-bench-"));
const file = (name: string) => join(folder, name);

const model = join(own, "fixtures/models/segmenter.onnx");
const images = tensor("float32", [1, 3, 96, 96], new Float32Array(3 * 96 * 96).fill(0.5));
await writeTensors(file("images.npz"), new Map([["images", images]]));
const short = ["--attack", "pgd", "--steps", "1", "--quiet"];
const commands: Readonly<Record<string, readonly string[]>> = {
  "--version": ["--version"],
  "attack --help": ["attack", "--help"],
  inspect: ["inspect", model],
  grad: ["grad", model, "-o", file("grad.onnx")],
  "attack --input": ["attack", model, "--input", file("images.npz"), ...short, "--out", file("found.npz")],
  "attack --data": ["attack", model, "--data", "synthetic", "--limit", "1", "--no-audit", ...short, "--out", file("run")],
};

interface Cost {
  readonly seconds: number;
  readonly mebibytes: number;
}

// All threads of the process, ONNX Runtime's too, as it ends.
const atExit = `import fs from "node:fs"; process.on("exit", () => fs.writeFileSync(${JSON.stringify(file("cost.json"))}, JSON.stringify(process.resourceUsage())));`;

function costOf(args: readonly string[]): Cost {
  rmSync(file("run"), { recursive: true, force: true });
  const watch = `data:text/javascript,${encodeURIComponent(atExit)}`;
  execFileSync(process.execPath, ["--import", watch, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const { userCPUTime, systemCPUTime, maxRSS } = JSON.parse(readFileSync(file("cost.json"), "utf8")) as NodeJS.ResourceUsage;
  return { seconds: (userCPUTime + systemCPUTime) / 1e6, mebibytes: maxRSS / 1024 };
}

try {
  const library = (checkout: string) => {
    const { exports } = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
    return ["-e", `import(${JSON.stringify(pathToFileURL(join(checkout, exports["."].default.default)).href)})`];
  };
  const subjects = [
    { name: "import", argsIn: library },
    ...Object.entries(commands).map(([name, args]) => ({
      name,
      argsIn: (checkout: string) => [join(checkout, "bin/faultline.js"), ...args],
    })),
  ];
  for (const { name, argsIn } of subjects) {
    const costs = checkouts.map((): Cost[] => []);
    for (let run = -1; run < runs; run++) {
      for (const [i, checkout] of checkouts.entries()) {
        const cost = costOf(argsIn(checkout));
        if (run >= 0) costs[i]!.push(cost);
      }
    }
    const cells = costs.map(
      (of) => `${median(of.map((c) => c.seconds)).toFixed(2)} s ${median(of.map((c) => c.mebibytes)).toFixed(0)} MiB`,
    );
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/**
 * What recomputing costs, and how much memory it saves: forward and input gradient of large encoders with random weights, each in a process
 * of its own, with everything kept and within budgets.
 *
 *     npx tsx bench/recompute.ts [vit-l | sam] [budget in GiB ...]
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { lower } from "../src/engine/compile/lower.js";
import { recompute } from "../src/engine/compile/recompute/recompute.js";
import { createEngine } from "../src/engine/runtime/node.js";
import { gradientOf, imageFor } from "./gradient-model.js";
import { type BenchNetwork, forwardGraph } from "./networks/index.js";
import { vit } from "./networks/vit.js";
import { windowEncoder } from "./networks/window-encoder.js";
import { oneOf, wholeNumber } from "./options.js";

const networks: Readonly<Record<string, { readonly network: BenchNetwork; readonly budgets: readonly number[] }>> = {
  "vit-l": {
    network: {
      name: "ViT-L/14 at 518x518",
      input: [1, 3, 518, 518],
      network: (p, x) => vit(p, x!, { width: 1024, depth: 24, heads: 16, patch: 14 }),
      gain: 1,
    },
    budgets: [Number.POSITIVE_INFINITY, 6, 4, 2, 1],
  },
  sam: {
    network: { name: "SAM-like ViT-B at 1024x1024", input: [1, 3, 1024, 1024], network: (p, x) => windowEncoder(p, x!), gain: 1 },
    budgets: [Number.POSITIVE_INFINITY, 8, 6, 4],
  },
};

const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
const rss = () => process.memoryUsage.rss();

interface Measured {
  readonly estimate: number;
  readonly again: number;
  /** Resident bytes of the process: with the program loaded, and the most while it ran. */
  readonly loaded: number;
  readonly peak: number;
  readonly seconds: number;
  /** Of the processor, over all threads. */
  readonly processor: number;
  /** A number that depends on every element of the gradient. */
  readonly digest: string;
}

async function measure(name: string, budget: number): Promise<Measured> {
  const { network } = networks[name]!;
  const engine = await createEngine({ cache: { programs: 0, bytes: 0 } });
  const { graph, after, again } = recompute(lower(gradientOf(forwardGraph(network)), "cpu"), budget * 2 ** 30);
  const program = await engine.compile(graph);
  const loaded = rss();
  let peak = loaded;
  const watch = setInterval(() => {
    peak = Math.max(peak, rss());
  }, 5);
  const x = imageFor(network);
  const begin = performance.now();
  const before = process.cpuUsage();
  const { dx } = await program.run({ x });
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(before);
  clearInterval(watch);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", dx!.data as Float32Array<ArrayBuffer>));
  await engine.dispose();
  return {
    estimate: after,
    again,
    loaded,
    peak,
    seconds,
    processor: (used.user + used.system) / 1e6,
    digest: Buffer.from(hash.subarray(0, 4)).toString("hex"),
  };
}

const [, , first, ...rest] = process.argv;
if (first === "--one") {
  console.log(JSON.stringify(await measure(rest[0]!, Number(rest[1]))));
} else {
  const budgetsGiven = rest.map((budget) => wholeNumber("A budget in GiB", budget));
  for (const name of first ? [oneOf("The network", first, Object.keys(networks))] : Object.keys(networks)) {
    const { network, budgets } = networks[name]!;
    console.log(`\n${network.name}\n`);
    console.log(
      "| budget GiB | estimate GiB | nodes computed again | loaded GiB | peak GiB | inner GiB | seconds | processor s | gradient |",
    );
    console.log("|---|---|---|---|---|---|---|---|---|");
    for (const budget of budgetsGiven.length > 0 ? budgetsGiven : budgets) {
      const args = [
        "--import",
        "tsx",
        "--max-old-space-size=8192",
        fileURLToPath(import.meta.url),
        "--one",
        name,
        String(budget),
      ];
      try {
        const m = JSON.parse(
          execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
        ) as Measured;
        console.log(
          `| ${budget === Number.POSITIVE_INFINITY ? "none" : budget} | ${gib(m.estimate)} | ${m.again} | ${gib(m.loaded)} | ${gib(m.peak)} | ${gib(m.peak - m.loaded)} | ${m.seconds.toFixed(1)} | ${m.processor.toFixed(1)} | ${m.digest} |`,
        );
      } catch (error) {
        console.log(
          `| ${budget} | ${/GraphError: (.*)/.exec(String((error as { stderr?: string }).stderr))?.[1] ?? String(error)} |`,
        );
      }
    }
  }
}

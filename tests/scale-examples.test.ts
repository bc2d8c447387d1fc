import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { commandNames } from "../src/app/cli/main.js";
import { parseShard } from "../src/app/cli/model-options.js";

// The files of examples/scale: their syntax, and that every part of a sweep is somebody's.

const folder = fileURLToPath(new URL("../examples/scale", import.meta.url));
const files = readdirSync(folder);
const scratch = mkdtempSync(join(tmpdir(), "faultline-scale-"));
afterAll(() => rmSync(scratch, { recursive: true }));

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly completionMode?: string;
    readonly completions?: number;
    readonly template?: {
      readonly spec: {
        readonly containers: readonly {
          readonly command: readonly string[];
          readonly args?: readonly string[];
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
  };
}

/** The arguments that a script gives the program, found by a program in its place that writes them down. */
function argumentsOf(script: string, args: readonly string[], environment: Record<string, string>): string[] {
  const program = join(scratch, "program.mjs");
  writeFileSync(program, "console.log(JSON.stringify(process.argv.slice(2)));");
  const { stdout, stderr } = spawnSync("bash", [join(folder, script), ...args], {
    env: { PATH: process.env.PATH!, FAULTLINE: program, ...environment },
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as string[];
}

describe("examples/scale", () => {
  for (const file of files.filter((name) => name.endsWith(".sh")))
    it(`${file} is a script`, () => {
      const { status, stderr } = spawnSync("bash", ["-n", join(folder, file)], { encoding: "utf8" });
      expect([status, stderr]).toEqual([0, ""]);
    });

  it("tasks of the Slurm array do one part each, and all parts", () => {
    const parts = [1, 2, 3].map((id) => {
      const slurm = {
        SLURM_ARRAY_TASK_ID: `${id}`,
        SLURM_ARRAY_TASK_MIN: "1",
        SLURM_ARRAY_TASK_COUNT: "3",
        SLURM_CPUS_PER_TASK: "8",
      };
      const args = argumentsOf("slurm-array.sh", ["plan.yaml", "/shared/sweep"], slurm);
      expect(args.slice(0, 4)).toEqual(["sweep", "plan.yaml", "--out", "/shared/sweep"]);
      expect(args.slice(-2)).toEqual(["--workers", "8"]);
      return parseShard(args[args.indexOf("--shard") + 1]!);
    });
    expect(parts).toEqual([1, 2, 3].map((index) => ({ index, count: 3 })));
    expect(
      argumentsOf("slurm-workers.sh", ["redis://head:6379", "/shared"], { SLURM_CPUS_PER_TASK: "4", TMPDIR: scratch }),
    ).toEqual(
      ["worker", "--queue", "redis://head:6379", "--root", "/shared", "--idle", "600", "--workers", "4", "--work"].concat(
        join(scratch, "faultline-work"),
      ),
    );
  });

  it("pods of the Kubernetes job do one part each, and all parts", () => {
    const [job] = manifests("kubernetes-indexed-job.yaml");
    const { completionMode, completions, template } = job!.spec;
    const [container] = template!.spec.containers;
    const count = container!.env!.find((e) => e.name === "SHARDS")!.value!;
    expect([job!.kind, completionMode, `${completions}`]).toEqual(["Job", "Indexed", count]);
    const shard = /--shard ("[^"]*")/.exec(container!.args![0]!)![1]!;
    for (const index of [0, completions! - 1]) {
      const env = { PATH: process.env.PATH!, JOB_COMPLETION_INDEX: `${index}`, SHARDS: count };
      const { stdout } = spawnSync("sh", ["-c", `echo ${shard}`], { env, encoding: "utf8" });
      expect(parseShard(stdout.trim())).toEqual({ index: index + 1, count: completions });
    }
  });

  it("every manifest is YAML and names commands that exist", () => {
    const all = files.filter((name) => name.endsWith(".yaml")).flatMap(manifests);
    expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      "Deployment faultline-redis",
      "Deployment faultline-worker",
      "Job faultline-sweep",
      "Service faultline-redis",
    ]);
    const text = files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
    const named = [...text.matchAll(/faultline(?:\.js)?"?,? "?(sweep|worker|\w+) --/g)].map(([, name]) => name!);
    expect(commandNames()).toEqual(expect.arrayContaining(named));
  });
});

function manifests(name: string): Manifest[] {
  const documents = parseAllDocuments(readFileSync(join(folder, name), "utf8"));
  expect([...documents].flatMap(({ errors }) => errors)).toEqual([]);
  return [...documents].map((document) => document.toJS() as Manifest);
}

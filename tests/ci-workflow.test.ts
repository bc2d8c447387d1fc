import { cpSync, existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { addAttackFlags } from "../src/app/cli/attack-flags.js";
import { attackCommand } from "../src/app/cli/commands/attack.js";
import { writeScenes } from "../src/app/cli/testing/scene.js";
import { pack, Workplace } from "./package/pack.js";

// The workflow of docs/ci.md is what people copy: its steps are run here, in a fresh folder, by the package as it is installed.

const page = readFileSync(new URL("../docs/ci.md", import.meta.url), "utf8");
const workflow = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;

/** The commands of its steps, in order, with the folder they run in. */
const steps = workflow
  .split(/\n {6}- /)
  .slice(1)
  .flatMap((step) => {
    const [, folded, line] = /^(?:[\s\S]*?\n {8})?run: (?:>\n([\s\S]*)|(.*))/.exec(step) ?? [];
    const [command] = (folded ?? line)?.split("\n        working-directory") ?? [];
    return command === undefined
      ? []
      : [{ command: command.replace(/\s+/g, " ").trim(), folder: /working-directory: (.*)/.exec(step)?.[1] ?? "." }];
  });

const repository = new Workplace();
afterAll(() => repository.remove());
beforeAll(async () => {
  repository.install(pack());
  // The checkout of Faultline beside the model, built.
  symlinkSync("node_modules/faultline", join(repository.path, "faultline"));
  cpSync(
    fileURLToPath(new URL("../fixtures/golden/attacks/segmentation/network.onnx", import.meta.url)),
    join(repository.path, "model.onnx"),
  );
  await writeScenes(join(repository.path, "validation"), 4);
}, 300_000);

it("has the shape of a workflow, and flags that the command knows", async () => {
  for (const key of ["on:", "jobs:", "runs-on:", "steps:"]) expect(workflow).toContain(key);
  expect(workflow).not.toMatch(/\t/);
  const flags = [...steps.at(-1)!.command.matchAll(/ (--[a-z-]+)/g)].map((m) => m[1]!);
  const attack = attackCommand();
  await addAttackFlags(attack, []);
  const known = new Set(attack.options.map((o) => o.long));
  expect(flags.length).toBeGreaterThan(5);
  for (const flag of flags) expect(known, flag).toContain(flag);
});

it("does what it says, from the installed package: the bound decides the exit code, and the artifact is there", () => {
  // `pack` has made the package by that very script.
  expect(steps[0]).toEqual({ command: "npm ci && npm run build", folder: "faultline" });
  const written = repository.run(
    "bash",
    "-ec",
    "node faultline/bin/faultline.js doctor model.onnx --task segmentation --data validation --write",
  );
  expect(existsSync(join(repository.path, "model.spec.json")), written.err).toBe(true);
  const [, attack] = steps as [unknown, { readonly command: string }];
  expect(attack.command).toMatch(/--fail-under miou=40 .* > robustness\.json$/);
  const missed = repository.run("bash", "-ec", attack.command);
  expect([missed.code, missed.err], missed.err).toEqual([2, expect.stringMatching(/mIoU is [\d.]+ %.*miou=40|mIoU is/)]);
  const json = () => JSON.parse(readFileSync(join(repository.path, "robustness.json"), "utf8"));
  expect(json()).toMatchObject({ exitCode: 2, run: "robustness", missed: [expect.stringMatching(/^mIoU is/)] });
  const artifact = /path: \|\n([\s\S]*)/.exec(workflow)![1]!.trim().split(/\s+/);
  expect(artifact).toHaveLength(2);
  for (const file of artifact) expect(existsSync(join(repository.path, file)), file).toBe(true);
  // The same commit again, with a bound that holds: everything is done already, and the step passes.
  const met = repository.run("bash", "-ec", attack.command.replace("miou=40", "miou=0"));
  expect([met.code, json().exitCode, json().missed]).toEqual([0, 0, []]);
});

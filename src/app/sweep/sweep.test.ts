import { spawn } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { faultline, network, scratch, writeScenes } from "../cli/testing/scene.js";
import { examplePlan, readSweepPlan } from "./plan-file.js";

const folder = scratch();
const start = fileURLToPath(new URL("../cli/testing/start.mjs", import.meta.url));
const plan = `
models: [{ path: net.onnx, name: net, spec: { range: 0..1, channels: rgb, output: { meaning: logits }, task: segmentation } }]
data: { path: scenes, limit: 2 }
attacks:
  - none
  - { attack: [pgd, fgsm], epsilon: [4/255, 8/255], steps: 6 }
audit: false
`;
beforeAll(async () => {
  copyFileSync(network("segmentation"), folder.path("net.onnx"));
  await writeScenes(folder.path("scenes"), 3);
  writeFileSync(folder.path("plan.yaml"), plan);
});
afterAll(folder.remove);

const sweep = (out: string, ...more: string[]) =>
  faultline("sweep", folder.path("plan.yaml"), "--out", folder.path(out), ...more);

/** Every file, with its bytes. */
function bytes(out: string): Record<string, string> {
  const files: Record<string, string> = {};
  const visit = (at: string) => {
    for (const name of readdirSync(folder.path(out, at))) {
      const path = join(at, name);
      if (statSync(folder.path(out, path)).isDirectory()) visit(path);
      else files[path] = readFileSync(folder.path(out, path), "latin1");
    }
  };
  visit("");
  return files;
}

it("two workers, one that was killed with its coordinator, and parts that are merged make the same bytes", async () => {
  const whole = await sweep("whole", "--workers", "2");
  expect([whole.code, whole.err]).toEqual([
    0,
    expect.stringMatching(/5 of 5: cells\/net-scenes-fgsm-epsilon-8-255-\w{8}, worker/),
  ]);
  expect(whole.out).toMatch(/the worst of 4 attacks/);
  const { runs } = JSON.parse(readFileSync(folder.path("whole", "sweep.json"), "utf8")) as { runs: string[] };
  expect(runs.map((name) => name.replace(/-\w{8}$/, ""))).toEqual([
    "cells/net-scenes-no-attack",
    "cells/net-scenes-pgd-epsilon-4-255-steps-6",
    "cells/net-scenes-pgd-epsilon-8-255-steps-6",
    "cells/net-scenes-fgsm-epsilon-4-255",
    "cells/net-scenes-fgsm-epsilon-8-255",
  ]);
  for (const name of ["table.csv", "table.md", "report.html"]) expect(existsSync(folder.path("whole", name))).toBe(true);

  const args = [start, "sweep", folder.path("plan.yaml"), "--workers", "1", "--shard", "1/2", "--out", folder.path("one")];
  const killed = spawn(process.execPath, args, { stdio: "ignore" });
  const records = folder.path("one", runs[0]!, "records.jsonl");
  while (!existsSync(records) || statSync(records).size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  killed.kill("SIGKILL");
  const one = await sweep("one", "--shard", "1/2", "--workers", "1");
  expect([one.code, one.err]).toEqual([0, expect.stringMatching(/this part is done: 3 of 5 cells are/)]);
  const early = await faultline("merge", folder.path("one"), "--out", folder.path("early"));
  expect(early.err).toMatch(/2 of 5 cells are finished in none of these directories/);
  expect(existsSync(folder.path("early"))).toBe(false);
  expect((await sweep("two", "--shard", "2/2", "--workers", "1")).code).toBe(0);
  const merged = await faultline("merge", folder.path("one"), folder.path("two"), "--out", folder.path("merged"));
  expect([merged.code, merged.out]).toEqual([0, whole.out.replaceAll(folder.path("whole"), folder.path("merged"))]);
  expect(bytes("merged")).toEqual(bytes("whole"));
});

it("a changed plan runs what changed, and says what is known", async () => {
  const before = bytes("whole");
  writeFileSync(
    folder.path("plan.yaml"),
    plan.replace("8/255]", "8/255, 16/255]").replace("[pgd, fgsm]", "fgsm").replace(", steps: 6", ""),
  );
  const listed = await sweep("whole", "--list");
  expect(listed.out.match(/done$/gm)).toHaveLength(3);
  expect(listed.out).toMatch(/fgsm-epsilon-16-255-\w{8} {2}to do/);
  const cached = await sweep("cached", "--cache", folder.path("whole"), "--workers", "1", "--json");
  expect(cached.err).toMatch(/3 of 4 cells are known from elsewhere, and are copied/);
  expect(JSON.parse(cached.out)).toMatchObject({ exitCode: 0, cells: 4, done: 4, copied: 3, failed: [] });
  const again = await sweep("whole", "--cache", folder.path("cached"), "--workers", "1");
  expect(again.err).toMatch(/3 of 4 cells are done already\n1 of 4 cells are known/);
  // What the plan has no more stays where it is, and is in no table.
  expect(bytes("whole")).toMatchObject(Object.fromEntries(Object.entries(before).filter(([name]) => name.startsWith("cells/"))));
  expect(readFileSync(folder.path("whole", "table.csv"), "utf8")).not.toContain("pgd");
});

it("every cell must meet a bound", async () => {
  const missed = await sweep("whole", "--quiet", "--json", "--fail-under", "miou=99");
  expect(missed.code, missed.err).toBe(2);
  // All but the clean one.
  expect(JSON.parse(missed.out).missed).toHaveLength(4);
});

it("everything that is wrong is said at once, before anything runs; the rest can be run all the same", async () => {
  const wrong = `
models: [nothing.onnx, { path: net.onnx, name: net, spec: { task: segmentation }, data: [scenes, scnes] }]
data: [scenes, nowhere]
attacks: [pgdd, { attack: pgd, epsilom: 1 }, { attack: fgsm, epsilon: wide }, { attack: pgd, loss: l7 }]
corruptions: { kinds: [fgog], severities: 3 }
suites: [flow-v1, dense-v2]
`;
  writeFileSync(folder.path("wrong.yaml"), wrong);
  const { code, err } = await faultline("sweep", folder.path("wrong.yaml"), "--out", folder.path("none"));
  expect(code).toBe(1);
  for (const sentence of [
    'there is no attack "pgdd" (did you mean pgd?)',
    'no attack has a parameter "epsilom" (did you mean epsilon?)',
    "--epsilon wide: write a number",
    'there is no corruption "fgog" (did you mean fog?)',
    "nothing.onnx: there is no such model",
    'there is no data set "scnes" in the plan (did you mean scenes?)',
    'there is no suite "dense-v2" (did you mean dense-v1?)',
    "suite flow-v1 is not for segmentation",
  ])
    expect(err).toContain(sentence);
  expect(existsSync(folder.path("none"))).toBe(false);
  const some = `
models: [{ path: net.onnx, name: net, spec: { task: segmentation, range: 0..1 } }]
data: [scenes, nowhere]
attacks: [none, deepfool]
`;
  writeFileSync(folder.path("some.yaml"), some);
  const refused = await faultline("sweep", folder.path("some.yaml"), "--out", folder.path("none"));
  expect(refused.err).toMatch(/There is no folder .*nowhere[\s\S]*--skip-impossible runs the other \d cells/);
  const listed = await faultline("sweep", folder.path("some.yaml"), "--skip-impossible", "--list");
  expect([listed.code, listed.out]).toEqual([0, expect.stringMatching(/net-scenes-no-attack/)]);
});

it.each([
  ["models: [a.onnx]\ndata: x\natacks: [pgd]", 'no field "atacks" (did you mean "attacks"?)'],
  ["models: [a.onnx\ndata: x", "is not valid YAML: "],
  ["models: [a.onnx]\nmodels: [b.onnx]\ndata: x", "is not valid YAML: Map keys must be unique"],
  ["- a\n- b", "is no plan: it needs models, data and attacks"],
  ["", "is no plan"],
  ["models: [a.onnx]\ndata: { path: x, resize: 224 }", "resize: must be HEIGHTxWIDTH, such as 224x224, not 224"],
  ["models: []\ndata: x", "models"],
  ["models: [a.onnx]\ndata: x\nattacks: [!!js/function 'f']", "there is no such model"],
])("a plan that cannot be read is refused in a sentence (%#)", async (text, sentence) => {
  writeFileSync(folder.path("odd.yaml"), text);
  const { code, err } = await faultline("sweep", folder.path("odd.yaml"), "--out", folder.path("none"));
  expect([code, err]).toEqual([1, expect.stringContaining(sentence)]);
  expect(err).not.toMatch(/unexpected error|FAULTLINE_DEBUG/);
  expect(existsSync(folder.path("none"))).toBe(false);
});

it("the plan that is printed is one that is read, and the schema has its fields", async () => {
  writeFileSync(folder.path("example.yaml"), (await faultline("sweep", "--print-plan")).out);
  expect(readSweepPlan(folder.path("example.yaml"))).toMatchObject({ batch: 8, corruptions: { kinds: "common" } });
  const schema = JSON.parse((await faultline("spec", "--schema", "sweep")).out);
  const fields = examplePlan.match(/^\w+(?=:)/gm)!;
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(fields));
});

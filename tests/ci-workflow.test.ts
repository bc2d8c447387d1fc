import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { addAttackFlags } from "../src/app/cli/attack-flags.js";
import { attackCommand } from "../src/app/cli/commands/attack.js";

// The workflow of docs/ci.md is what people copy.

const page = readFileSync(new URL("../docs/ci.md", import.meta.url), "utf8");
const workflow = /```yaml\n([\s\S]*?)```/.exec(page)![1]!;

it("has the shape of a workflow, and flags that the command knows", async () => {
  for (const key of ["on:", "jobs:", "runs-on:", "steps:"]) expect(workflow).toContain(key);
  expect(workflow).not.toMatch(/\t/);
  const command = /run: >\n([\s\S]*?)\n {6}- uses/.exec(workflow)![1]!.replace(/\s+/g, " ");
  const flags = [...command.matchAll(/ (--[a-z-]+)/g)].map((m) => m[1]!);
  const attack = attackCommand();
  await addAttackFlags(attack, []);
  const known = new Set(attack.options.map((o) => o.long));
  expect(flags.length).toBeGreaterThan(5);
  for (const flag of flags) expect(known, flag).toContain(flag);
});

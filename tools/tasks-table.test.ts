import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { faultline } from "../src/app/cli/testing/scene.js";
import { taskNames, tasks } from "../src/vision/tasks/index.js";
import { tasksPage, tasksTable } from "./tasks-table.js";

it("docs/tasks.md is current", () => {
  expect(readFileSync(tasksPage, "utf8")).toBe(tasksTable());
});

it("names every task once, in the order of the list", () => {
  expect(Object.values(tasks).map(({ name }) => name)).toEqual([...taskNames]);
});

it("help names every task and everything that an output may mean where there is a choice", async () => {
  const { out } = await faultline("attack", "--help");
  const text = out.replace(/\s+/g, " ");
  for (const name of taskNames) expect(text).toContain(`"${name}"`);
  for (const { output } of Object.values(tasks))
    if (output.meanings.length > 1) for (const meaning of output.meanings) expect(text).toContain(meaning);
});

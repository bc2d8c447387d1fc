import { writeFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { smallSensor } from "../../sensor/testing/small-sensor.js";
import { faultline, scratch } from "../testing/scene.js";

const folder = scratch();
afterAll(() => folder.remove());

it("sensor train on a finished run says that it is finished, and gives its result again", async () => {
  writeFileSync(folder.path("small.json"), JSON.stringify(smallSensor));
  const train = (...more: string[]) =>
    faultline("sensor", "train", folder.path("small.json"), "--threads", "1", "--out", folder.path("run"), ...more);
  const first = await train();
  expect(first.code, first.err).toBe(0);
  expect(first.err).toContain(`run directory ${folder.path("run")}\n`);
  const again = await train();
  expect(again.code, again.err).toBe(0);
  expect(again.err).toContain("run is finished: what follows is its result; --out DIR begins another run\n");
  expect(again.err).not.toMatch(/run directory|resuming/);
  expect(again.out).toBe(first.out);
  expect((await train("--quiet")).err).toBe("");
});

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { progress } from "./progress.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("in a log: a line at each tenth, and one each minute where nothing is done yet", () => {
  const lines: string[] = [];
  const { update } = progress("patch", 20, 0, (text) => lines.push(text));
  const after = (seconds: number, done: number, note: string) => {
    vi.advanceTimersByTime(1000 * seconds);
    update(done, note);
  };
  after(30, 0, "learning: step 10");
  after(40, 0, "learning: step 20");
  after(40, 0, "learning: step 30");
  after(10, 1, "");
  after(10, 2, "loss 3");
  expect(lines).toEqual(["patch 0/20 learning: step 20\n", "patch 2/20, about 1170 s left loss 3\n"]);
});

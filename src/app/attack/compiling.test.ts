import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type Compiling, compilingText, whileTelling } from "./compiling.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is said of a compilation that reads and compiles for so many milliseconds each. */
async function saidOf(reading: number, compiling: number, before?: number): Promise<string> {
  const began = Date.now();
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  let said = "";
  const tell = (stage: Compiling["stage"]) => {
    said += compilingText({ height: 512, width: 640, stage, seconds: (Date.now() - began) / 1000, before });
  };
  const done = whileTelling(tell, async (stage) => {
    await wait(reading);
    stage("the model is read for this size");
    await wait(compiling);
    stage("done");
  });
  await vi.advanceTimersByTimeAsync(reading + compiling);
  await done;
  await vi.advanceTimersByTimeAsync(60_000);
  return said;
}

it("says nothing where setting up is quick", async () => {
  expect(await saidOf(500, 900)).toBe("");
});

it("says that it compiles after two seconds, what is left once the model is read, and what it took", async () => {
  expect(await saidOf(4000, 10_000)).toBe(
    [
      "compiling for 512x640 ... 2.0 s so far\n",
      "compiling for 512x640 ... the model is read, as a rule 4.0 s to 24 s more for the attack\n",
      "compiling for 512x640 ... 12 s so far\n",
      "compiled for 512x640 in 14 s\n",
    ].join(""),
  );
});

it("estimates by the size before", async () => {
  expect(await saidOf(1000, 3000, 5)).toBe(
    [
      "compiling for 512x640 ... the model is read, about 4.0 s left for the attack\n",
      "compiling for 512x640 ... 2.0 s so far, about 3.0 s left\n",
      "compiled for 512x640 in 4.0 s\n",
    ].join(""),
  );
});

it("falls silent where compiling fails", async () => {
  const tell = vi.fn();
  await expect(whileTelling(tell, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(tell).not.toHaveBeenCalled();
});

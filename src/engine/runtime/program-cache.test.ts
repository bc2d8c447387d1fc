import { expect, it } from "vitest";
import { ProgramCache } from "./program-cache.js";

function cacheOf(limits: { programs: number; bytes: number }) {
  const log: string[] = [];
  let last = 0;
  const cache = new ProgramCache(limits, (program) => log.push(`evict ${program}`));
  const acquire = (key: string, bytes = 1) =>
    cache.acquire(key, bytes, async () => {
      log.push(`load ${key} as ${++last}`);
      return { program: last, inputs: [], outputs: [] };
    });
  return { log, acquire };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it("shares programs in use and keeps disposed ones, the latest longest", async () => {
  const { log, acquire } = cacheOf({ programs: 2, bytes: 100 });
  const [a, again] = [acquire("a"), acquire("a")];
  const [b, c] = [acquire("b"), acquire("c")];
  for (const lease of [a, b, c]) lease.release();
  await settled();
  expect(log).toEqual(["load a as 1", "load b as 2", "load c as 3"]);
  again.release();
  await settled();
  expect(log.slice(3)).toEqual(["evict 2"]);
  acquire("a").release();
  acquire("b").release();
  await settled();
  expect(log.slice(4)).toEqual(["load b as 4", "evict 3"]);
});

it("evicts by bytes, and never a program in use", async () => {
  const { log, acquire } = cacheOf({ programs: 10, bytes: 100 });
  const used = acquire("used", 1000);
  acquire("small", 60).release();
  acquire("other", 60).release();
  await settled();
  expect(log).toEqual(["load used as 1", "load small as 2", "load other as 3", "evict 2"]);
  used.release();
  await settled();
  expect(log.slice(4)).toEqual(["evict 3", "evict 1"]);
});

it("forgets a model that does not load", async () => {
  const cache = new ProgramCache({ programs: 1, bytes: 1 }, () => {});
  await expect(cache.acquire("a", 1, () => Promise.reject(new Error("bad"))).program).rejects.toThrow("bad");
  const second = cache.acquire("a", 1, async () => ({ program: 7, inputs: [], outputs: [] }));
  expect((await second.program).program).toBe(7);
});

it("fails all who wait for one load, and leaves the one that is tried next alone", async () => {
  let loads = 0;
  let fail: (error: Error) => void = () => {};
  const cache = new ProgramCache({ programs: 1, bytes: 100 }, () => {});
  const broken = () =>
    new Promise<never>((_, reject) => {
      loads++;
      fail = reject;
    });
  const [first, second] = [cache.acquire("a", 1, broken), cache.acquire("a", 1, broken)];
  fail(new Error("bad"));
  // The first tries again at once, before the second has heard of the failure.
  const again = first.program.catch(() => cache.acquire("a", 1, async () => ({ program: ++loads, inputs: [], outputs: [] })));
  await expect(second.program).rejects.toThrow("bad");
  await settled();
  expect(loads).toBe(2);
  expect(await ((await again) as { program: Promise<{ program: number }> }).program).toMatchObject({ program: 2 });
  expect(await cache.acquire("a", 1, broken).program).toMatchObject({ program: 2 });
  expect(loads).toBe(2);
});

import { expect, it } from "vitest";
import { residentMemory } from "../bench/memory-cycles.js";
import { createEngine } from "../src/engine/runtime/node.js";

// The short form of bench/memory.ts. Each cycle loads a model with 2 MiB of weights; a session that is not released holds them twice
// (once packed for the processor). Resident memory wavers by up to 40 MiB as the allocators please.
const cycles = 80;
const bound = 64;

async function growth(cache: { programs: number; bytes: number }): Promise<number> {
  const engine = await createEngine({ threads: 1, cache });
  const samples = await residentMemory(engine, cycles);
  await engine.dispose();
  return samples.at(-1)! - samples[cycles / 4]!;
}

it("releases what disposed programs held", async () => {
  expect(await growth({ programs: 0, bytes: 0 })).toBeLessThan(bound);
});

it("would notice if it did not: programs kept in the cache do show", async () => {
  expect(await growth({ programs: cycles, bytes: 1e9 })).toBeGreaterThan(bound);
});

/**
 * How much memory does a process gain when it compiles, runs and disposes programs again and again?
 *
 *     npx tsx bench/memory.ts [cycles, default 200]
 *
 * Every cycle loads a model of its own (the program cache is off), so that nothing is reused.
 */
import { createEngine } from "../src/engine/runtime/node.js";
import { residentMemory } from "./memory-cycles.js";
import { readArguments, wholeNumber } from "./options.js";

const cycles = wholeNumber("The number of cycles", readArguments("bench/memory.ts [cycles]", ["200"])[0]);
const engine = await createEngine({ cache: { programs: 0, bytes: 0 } });
const samples = await residentMemory(engine, cycles);
await engine.dispose();
const warm = samples[Math.floor(cycles / 4)]!;
for (let i = 0; i <= cycles; i += Math.max(1, Math.floor(cycles / 10))) console.log(`cycle ${i}: ${samples[i]!.toFixed(1)} MiB`);
const growth = samples.at(-1)! - warm;
const each = (growth * 1024) / (cycles - Math.floor(cycles / 4));
console.log(`growth after the first quarter: ${growth.toFixed(1)} MiB, ${each.toFixed(1)} KiB a cycle`);

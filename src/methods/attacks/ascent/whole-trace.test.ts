import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../../engine/runtime/engine.js";
import { createEngine } from "../../../engine/runtime/node.js";
import type { Tensor } from "../../../engine/tensor/tensor.js";
import type { AttackBatch, TraceStep } from "../batch.js";
import { apgd, apgdReleased, attacks } from "../catalogue/index.js";
import { attackOf, compileAttack, ownParameters } from "../definition.js";
import { at, type GoldenEntry, goldenEntries, goldenFolder, goldenModel, goldenTensors } from "../testing/golden-model.js";

// A gradient element that is all but zero may change its sign in float32, and the trace parts ways there by two steps: such elements are few.
const strayed = 0.02;

/** What the project carries, and one trace of each kind where all are present. */
const chosen = goldenEntries().filter((e) =>
  // An l_2 start is put on the sphere; the stored one was clipped to [0, 1] off it and is no image of any noise.
  e.rules
    ? e.file.includes("linf_20_")
    : (e.attack === "cospgd" || e.attack === "segpgd" || e.attack === "fgsm") && !e.file.includes("_l2."),
);

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

describe.skipIf(!goldenFolder)("golden attack traces as a whole, from the stored start, through the engine", () => {
  it.each(chosen.map((e) => [e.file, e] as const))("%s", async (_, entry) => {
    const { attacked, images, noise, label, target, roles } = await goldenModel(entry.file.split("/")[0]!);
    const trace = goldenTensors(entry.file);
    const compiled = await compileAttack(engine, attackFor(entry), {
      ...attacked,
      goal: entry.targeted ? "targeted" : "untargeted",
    });
    const batch: AttackBatch = {
      images,
      target: entry.targeted ? target : label,
      start: entry.rules ? { image: startNoise(trace.get("x_start")!, images.image!, entry) } : noise,
      samples: Array.from({ length: label.shape[0]! }, (_, i) => String(i)),
      seed: 0,
    };
    const steps: TraceStep[] = [];
    const outcome = await compiled.run(batch, { onTrace: (step) => void steps.push(step) });
    compiled.dispose();

    roles.forEach((role, i) => {
      const stored = trace.get(roles.length > 1 ? `x_${i + 1}` : "x")!;
      const last = entry.rules ? trace.get("x_best")! : at(stored, entry.iterations);
      const iterates = [...steps.slice(1).map((s) => s.x[role]!), outcome.images[role]!];
      expectMostlyEqual(iterates.at(-1)!, last, 2e-5, strayed, `${role} in the end`);
      for (let t = 1; t < entry.iterations; t++)
        expectMostlyEqual(steps[t]!.x[role]!, at(stored, t), 2e-5, strayed, `${role} at ${t}`);
    });
    if (!entry.rules) {
      const plain = steps.map((s) => s.loss.reduce((a, b) => a + b, 0) / s.loss.length);
      plain.forEach((loss, t) => {
        expect(Math.abs(loss / Number(trace.get("loss_plain")!.data[t]) - 1), `loss at ${t}`).toBeLessThan(2e-3);
      });
    }
  });
});

function attackFor(entry: GoldenEntry) {
  const options = {
    norm: entry.norm === "linf" ? ("l_inf" as const) : ("l_2" as const),
    epsilon: entry.eps,
    steps: entry.iterations,
    ...(entry.alpha && { stepSize: entry.alpha }),
    ...((entry.loss === "l1" || entry.loss === "l2") && { loss: entry.loss }),
  };
  const rules = entry.rules === "paper" ? apgd : apgdReleased;
  const definition = entry.rules ? rules : attacks[entry.attack as "cospgd" | "segpgd" | "fgsm"];
  return attackOf(definition, ownParameters(definition, options));
}

/** The noise that leads to a stored starting point: Auto-PGD's traces name the point itself. */
function startNoise(start: Tensor, clean: Tensor<"float32">, { eps }: GoldenEntry): Tensor<"float32"> {
  return { type: "float32", shape: clean.shape, data: (start.data as Float32Array).map((v, i) => (v - clean.data[i]!) / eps) };
}

function expectMostlyEqual(actual: Tensor, reference: Tensor, tolerance: number, share: number, what: string): void {
  const differ = (reference.data as Float32Array).filter((v, i) => !(Math.abs(Number(actual.data[i]) - v) <= tolerance)).length;
  expect(differ / reference.data.length, what).toBeLessThanOrEqual(share);
}

import type { Engine, OptimizationLevel } from "../../../engine/runtime/engine.js";
import { stack, unstack } from "../../../engine/tensor/arrays.js";
import { Random } from "../../../engine/tensor/random.js";
import { sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { ProjectedAscent } from "../../../methods/attacks/ascent/ascent.js";
import { type CompiledAscent, compileAscent } from "../../../methods/attacks/ascent/compile-ascent.js";
import { type AttackedModel, perturbedRoles } from "../../../methods/attacks/attacked-model.js";
import type { AttackBatch, TraceStep } from "../../../methods/attacks/batch.js";
import { ascentsOf, compileAttack } from "../../../methods/attacks/definition.js";
import { classesOf } from "../../../methods/attacks/ensemble/worst-of.js";
import { lengths } from "../../../methods/attacks/lengths.js";
import { projections } from "../../../methods/attacks/smallest/balls.js";
import { readImage } from "../../../vision/data/node/image-file.js";
import { attackedModel } from "../attacked-model.js";
import type { Prepared } from "../prepare.js";
import { type AttackContext, type AttackRecord, preparedSample } from "../run-attack.js";
import { wonBy } from "./check.js";
import type { LevelEvidence, Trial, WeightSpread } from "./evidence.js";
import { hugeRadius, searchHugeBall } from "./huge-radius.js";
import { batchImages, batchOf, hasMask, sizeOfPrepared } from "./samples.js";

/** Trials of noise of each kind: as many as the attack had starts, and never fewer than this. */
const leastTrials = 3;
/** Smallest number that float32 holds with full precision. */
const smallestNormal = 2 ** -126;

/** Attacks one finished sample again in ways that tell whether the first attack can be trusted. */
export async function tryAgain(context: AttackContext, record: AttackRecord, folder: string): Promise<Trial> {
  const { engine, plan } = context;
  const { goal } = plan;
  const prepared = await preparedSample(context, record.index);
  const attacked = await attackedModel(context, { batch: 1, ...sizeOfPrepared(prepared), valid: hasMask(context, prepared) });
  const members: CompiledAscent[] = [];
  const { norm, restarts = 1 } = plan.attack.budget;
  // What follows nothing has no steps to look at.
  const ascents = plan.attack.definition.follows === "nothing" ? [] : await ascentsIn(context, attacked);
  const whole = ascents.length === 0 ? await compileAttack(engine, plan.attack, attacked, context.fitted) : undefined;
  try {
    for (const ascent of ascents) members.push(await compileAscent(engine, ascent, attacked));
    const first = whole ?? members[0]!;
    const [clean, again] = [await first.predict(batchImages(prepared)), await first.predict(batchImages(prepared))];
    const batch = batchOf(context, prepared, unstack(clean, 0));
    const furthest = (losses: readonly number[]) => (goal.kind === "untargeted" ? Math.max(...losses) : Math.min(...losses));

    const elements = perturbedRoles(attacked).reduce((n, role) => Math.max(n, sizeOf(prepared.images[role]!.shape)), 0);
    const epsilon = hugeRadius(norm, elements);
    const follows = plan.attack.definition.follows === "gradients" && members.length > 0;
    const huge = follows ? await searchHugeBall(plan, members, batch, record.loss!, epsilon) : undefined;

    // Where the attack has no radius of its own, noise is as large as what the attack found.
    const radius = plan.attack.budget.epsilon ?? Math.max(...Object.values(record.perturbation!).map((p) => p[norm]));
    const trials = Math.max(leastTrials, restarts);
    const noise = async (kind: "uniform" | "sign") => {
      const losses: number[] = [];
      for (let t = 0; t < trials; t++)
        losses.push((await first.evaluate(batch, noisy(context, attacked, prepared, kind, t, radius))).loss[0]!);
      return furthest(losses);
    };
    const saved = { ...batch, images: await savedImages(record, folder) };
    const weights: WeightSpread[] = [];
    let underflow = 0;
    for (const member of members) {
      const near = { clean: await oneStep(member, batch), adversarial: await oneStep(member, saved) };
      for (const g of Object.values(near.clean.gradient))
        underflow = Math.max(
          underflow,
          share(g.data as Float32Array, (v) => v !== 0 && Math.abs(v) < smallestNormal),
        );
      if (member.attack.weight.pixels === "alike") continue;
      for (const where of ["clean", "adversarial"] as const)
        weights.push({ attack: member.attack.name, near: where, ...spreadOf(near[where].weight, prepared) });
    }
    return {
      sample: record.sample,
      clean: record.loss!.clean,
      attack: record.loss!.adversarial,
      won: wonBy(plan, record, "adversarial") === true,
      start: ascents.some(({ start }) => start === "clean") ? "clean" : "elsewhere",
      huge,
      noise: { trials, uniform: await noise("uniform"), sign: await noise("sign") },
      weights,
      underflow,
      repeatable: clean.data.every((v, i) => Object.is(v, again.data[i])),
    };
  } finally {
    for (const program of [whole, ...members]) program?.dispose();
  }
}

/** The projected ascents that the run's attack is made of, on this model. */
const ascentsIn = ({ plan }: AttackContext, attacked: AttackedModel): Promise<readonly ProjectedAscent[]> =>
  ascentsOf(plan.attack, { task: attacked.task, goal: plan.goal.kind, classes: classesOf(attacked) });

/** Computes the first step's gradient with ONNX Runtime's optimizer off and on. */
export async function compareLevels(context: AttackContext, record: AttackRecord): Promise<LevelEvidence | undefined> {
  const prepared = await preparedSample(context, record.index);
  const attacked = await attackedModel(context, { batch: 1, ...sizeOfPrepared(prepared), valid: hasMask(context, prepared) });
  const [ascent] = await ascentsIn(context, attacked);
  if (!ascent) return undefined;
  const gradient = async (level: OptimizationLevel) => {
    const compiled = await compileAscent(atLevel(context.engine, level), ascent, attacked);
    try {
      const clean = await compiled.predict(batchImages(prepared));
      const step = await oneStep(compiled, batchOf(context, prepared, unstack(clean, 0)));
      return Object.values(step.gradient).map((g) => g.data as Float32Array);
    } finally {
      compiled.dispose();
    }
  };
  const [plain, optimized] = [await gradient("disabled"), await gradient("all")];
  const length = norm(plain);
  const difference = norm(plain.map((g, k) => g.map((v, i) => v - optimized[k]![i]!)));
  return { sample: record.sample, gradient: difference === 0 ? 0 : difference / length };
}

const norm = (parts: readonly Float32Array[]): number =>
  Math.sqrt(parts.reduce((s, g) => s + g.reduce((t, v) => t + v * v, 0), 0));

async function savedImages({ files }: AttackRecord, folder: string): Promise<Record<string, Tensor<"float32">>> {
  const images: Record<string, Tensor<"float32">> = {};
  for (const [role, file] of Object.entries(files!)) images[role] = stack([await readImage(`${folder}/${file}`)]);
  return images;
}

/** A random point of the run's own ball. */
function noisy(
  { plan, region }: AttackContext,
  attacked: AttackedModel,
  prepared: Prepared,
  kind: "uniform" | "sign",
  trial: number,
  epsilon: number,
): Record<string, Tensor<"float32">> {
  const { norm } = plan.attack.budget;
  const images = batchImages(prepared);
  for (const role of perturbedRoles(attacked)) {
    const image = images[role]!;
    const random = new Random(plan.seed, `audit/${prepared.id}/${role}/${kind}/${trial}`);
    const area = image.shape[2]! * image.shape[3]!;
    const raw = image.data.map((_, i) => {
      const v = random.uniform(-1, 1);
      return (kind === "sign" ? Math.sign(v) : v) * (region ? region.data[i % area]! : 1);
    });
    // The largest as many, each anywhere in [-1, 1].
    if (norm === "l_0") projections.l_0(raw, epsilon);
    const size = norm === "l_inf" ? 1 : norm === "l_0" ? epsilon : lengths[norm](raw);
    images[role] = tensor(
      "float32",
      image.shape,
      image.data.map((v, i) => Math.min(1, Math.max(0, v + (epsilon * raw[i]!) / Math.max(size, 1e-12)))),
    );
  }
  return images;
}

/** The first step alone, with its gradient and weight. */
async function oneStep(compiled: CompiledAscent, batch: AttackBatch): Promise<TraceStep> {
  let seen: TraceStep | undefined;
  await compiled.withBudget({ steps: 1, restarts: 1 }).run(batch, { onTrace: (step) => (seen ??= step) });
  return seen!;
}

/** Over the pixels that count. */
function spreadOf(weight: Tensor, { valid }: Prepared): Pick<WeightSpread, "least" | "mean" | "most"> {
  const counted = (weight.data as Float32Array).filter((_, i) => !valid || valid.data[i] === 1);
  let [least, most, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (const w of counted) {
    least = Math.min(least, w);
    most = Math.max(most, w);
    sum += w;
  }
  return { least, mean: sum / counted.length, most };
}

function share(values: Float32Array, test: (v: number) => boolean): number {
  let n = 0;
  for (const v of values) if (test(v)) n++;
  return n / values.length;
}

/** The same engine, whatever is compiled being compiled at one level. */
function atLevel(engine: Engine, optimization: OptimizationLevel): Engine {
  return {
    info: engine.info,
    compile: (model, options) => engine.compile(model, { ...options, optimization }),
    evaluate: engine.evaluate,
    upload: (t) => engine.upload(t),
    download: (t) => engine.download(t),
    dispose: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

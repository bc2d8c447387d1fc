import { lower } from "../../../engine/compile/lower.js";
import type { Graph } from "../../../engine/graph/graph.js";
import type { DeviceTensor, Engine, Program } from "../../../engine/runtime/engine.js";
import { Random } from "../../../engine/tensor/random.js";
import { type Shape, sizeOf, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import type { PixelFunction } from "../../../vision/tasks/index.js";
import { type AttackedModel, perturbedRoles } from "../attacked-model.js";
import type { AttackBatch, AttackHooks } from "../batch.js";
import type { CompiledAttack } from "../definition.js";
import { AttackError } from "../error.js";
import { type CompiledEvaluation, compileEvaluation } from "../evaluation.js";
import { lossOf, predictionGraph } from "../evaluation-graph.js";
import { lowered } from "../lowered.js";
import { type AttackOutcome, type Judgement, type StepRecord, selectClean, selectStronger } from "../outcome.js";
import { type Handles, type Runnable, release } from "../split/runnable.js";
import { isSplit, overImages, SplitStep } from "../split/split-step.js";
import type { Transform } from "../transforms/transform.js";
import type { Budget, DescentRule, ProjectedAscent, Stage } from "./ascent.js";
import { firstValue } from "./descent/first-value.js";
import { ruleOf } from "./descent/rule-of.js";
import { drawsNoise, looks, type NoiseStem, noiseName } from "./looks.js";
import { projectGraph, startGraph, stateName, stepGraph } from "./step-graph.js";
import { stepSchedules } from "./step-schedule.js";

/** Compiles a projected ascent on a model for one batch shape: a start program, the step program (where it takes steps) and an evaluation program. */
export async function compileAscent(engine: Engine, attack: ProjectedAscent, model: AttackedModel): Promise<CompiledAscent> {
  const compile = (graph: Graph) => engine.compile(lower(graph, engine.info.provider));
  if (attack.start === "clean" && attack.budget.restarts > 1 && !drawsNoise(attack, model))
    throw new AttackError(
      `${attack.name} starts at the clean image, so ${attack.budget.restarts} restarts would repeat one search bit for bit; take 1 restart, or a random start.`,
    );
  if (model.tiled && [attack.loss, attack.tracked].some((loss) => lossOf({ ...(loss && { loss }) }, model.task).sees))
    throw new AttackError(
      `The loss "${String(attack.loss)}" looks at a whole prediction, and here it is made tile by tile; predict all tiles in one graph (tiled), or take another loss.`,
    );
  const compileStep = async () =>
    isSplit(attack, model)
      ? SplitStep.compile(engine, attack, model)
      : engine.compile(lowered(stepGraph(attack, model), engine, model));
  const step = attack.budget.steps > 0 ? await compileStep() : undefined;
  const evaluation = await compileEvaluation(engine, model, attack.tracked ?? attack.loss);
  const start = attack.start === "clean" ? undefined : await compile(startGraph(attack, model));
  const project = attack.budget.stages && (await compile(projectGraph(attack, model)));
  return new CompiledAscent(engine, attack, model, { step, evaluation, start, project });
}

/** Predicts images of one shape, by role. */
export interface PredictionProgram {
  run(images: Readonly<Record<string, Tensor>>): Promise<{ readonly prediction: Tensor<"float32"> }>;
  dispose(): void;
}

/** The prediction alone. */
export async function compilePrediction(engine: Engine, model: AttackedModel): Promise<PredictionProgram> {
  const program = overImages(engine, await engine.compile(lower(predictionGraph(model), engine.info.provider)), model);
  return {
    run: async (images) => ({ prediction: (await program.run(images)).prediction as Tensor<"float32"> }),
    dispose: () => program.dispose(),
  };
}

interface Programs {
  /** Undefined where no steps are taken. */
  readonly step: Runnable | undefined;
  /** Prediction, loss and what is right of images in one program: one for predictions alone would hold all weights once more. */
  readonly evaluation: CompiledEvaluation;
  readonly start: Program | undefined;
  /** Brings the end of one stage into the ball of the next. */
  readonly project: Program | undefined;
}

/** What one search gives, before its result is judged. */
interface Found {
  readonly images: AttackOutcome["images"];
  readonly steps: readonly StepRecord[];
}

/** Where a stage begins: in the images that the stage before found, after so many steps. */
interface Continued {
  readonly images: AttackOutcome["images"];
  readonly steps: number;
}

export class CompiledAscent implements CompiledAttack {
  constructor(
    private readonly engine: Engine,
    readonly attack: ProjectedAscent,
    private readonly model: AttackedModel,
    private readonly programs: Programs,
  ) {
    this.rule = ruleOf(attack, model.task);
  }

  get loss(): PixelFunction {
    return this.programs.evaluation.loss;
  }

  private readonly rule: DescentRule;

  /** Attacks one batch: as many images as it was compiled for. The result depends on images, target, seed and sample names alone. */
  async run(batch: AttackBatch, hooks: AttackHooks = {}): Promise<AttackOutcome> {
    for (const mask of ["valid", "region"] as const)
      if (batch[mask] && !this.model[mask])
        throw new AttackError(
          `The batch has a mask "${mask}", but the attack was compiled for none; say ${mask}: true beside its predictor.`,
        );
    const clean = await this.evaluate(batch, batch.images);
    let best: AttackOutcome | undefined;
    for (let restart = 0; restart < this.attack.budget.restarts; restart++) {
      const { images, steps } = await this.search(batch, restart, hooks);
      const found = await this.evaluate(batch, images);
      const outcome = { images, steps, ...found, clean };
      best = best ? selectStronger(best, outcome, this.attack.goal, this.model.task.judgedBy) : outcome;
    }
    if (!best) throw new RangeError("An attack needs at least one restart.");
    return this.model.task.judgedBy === "correct" ? selectClean(batch.images, best, this.attack.goal) : best;
  }

  /**
   * The same attack with other numbers: radius, step size, steps and restarts are inputs of the programs, so nothing is compiled anew. The two
   * share their programs; dispose of one of them. The grid is part of the step graph and stays.
   */
  withBudget(budget: Partial<Omit<Budget, "grid">>): CompiledAscent {
    if (!this.programs.step && budget.steps)
      throw new AttackError(`${this.attack.name} was compiled to take no steps, so it cannot take ${budget.steps}.`);
    const attack = { ...this.attack, budget: { ...this.attack.budget, ...budget } };
    return new CompiledAscent(this.engine, attack, this.model, this.programs);
  }

  /** The prediction for images of the batch shape. */
  predict(images: AttackBatch["images"]): Promise<Tensor<"float32">> {
    return this.programs.evaluation.predict(images);
  }

  /** Prediction, mean loss and share of correct pixels of other images (a saved version, noise) against the batch's target. */
  evaluate(batch: AttackBatch, images: AttackBatch["images"]): Promise<Judgement> {
    return this.programs.evaluation.evaluate(batch, images);
  }

  dispose(): void {
    for (const program of Object.values(this.programs)) program?.dispose();
  }

  /** One search from one start, whose result is not judged. */
  async search(batch: AttackBatch, restart: number, hooks: AttackHooks = {}): Promise<Found> {
    const { stages, steps, epsilon } = this.attack.budget;
    if (!stages) return this.#walk(batch, restart, hooks);
    let found: Found | undefined;
    for (const { radius, steps: own } of stagesOf(stages, steps)) {
      const stage = this.withBudget({ epsilon: radius * epsilon, steps: own, stages: undefined });
      const next = await stage.#walk(batch, restart, hooks, found && { images: found.images, steps: found.steps.length });
      found = { images: next.images, steps: [...(found?.steps ?? []), ...next.steps] };
    }
    return found!;
  }

  async #walk(
    batch: AttackBatch,
    restart: number,
    { onStep, onTrace, signal }: AttackHooks,
    from: Continued = { images: batch.images, steps: 0 },
  ): Promise<Found> {
    const { attack, model } = this;
    const { steps, epsilon, stepSize, schedule = "constant" } = attack.budget;
    const roles = perturbedRoles(model);
    const { seen, around } = looks(attack, model);
    const constant: Handles = { target: batch.target, epsilon: scalar(epsilon) };
    if (batch.valid) constant.valid = batch.valid;
    if (batch.region) constant.region = batch.region;
    for (const [role, image] of Object.entries(batch.images)) constant[roles.includes(role) ? `clean.${role}` : role] = image;
    const resident: Handles = {};
    for (const [name, t] of Object.entries(constant))
      resident[name] = sizeOf(t.shape) > 1 ? await this.engine.upload(t as Tensor) : t;

    let x = from.steps > 0 ? await this.#resume(batch, roles, from) : await this.#start(batch, roles, restart);
    let state = this.#initialState(batch, roles, x);
    const kept = [...roles.map((r) => `next.${r}`), ...this.#stateNames(roles).map((n) => `next_state.${n}`)];
    const records: StepRecord[] = [];
    const only = ["loss", "objective", "zero_gradient", "nan_gradient"];
    // A rule that keeps the best iterate must see the last one too: one more pass, whose own step is dropped.
    const passes = this.rule.result !== "last" ? steps + 1 : steps;
    try {
      for (let step = 0; step < passes; step++) {
        signal?.throwIfAborted();
        const feeds: Handles = {
          ...resident,
          progress: scalar(step / steps),
          step_size: scalar(stepSize * stepSchedules[schedule](step, steps)),
        };
        for (const [name, value] of Object.entries(this.rule.schedule?.(step, steps) ?? {})) feeds[name] = scalar(value);
        for (const r of roles) feeds[`x.${r}`] = x[r]!;
        for (const [name, v] of Object.entries(state)) feeds[`state.${name}`] = v;
        const trace = onTrace ? ["weight", ...roles.map((r) => `gradient.${r}`)] : [];
        const out = await this.programs.step!.run(feeds, {
          keep: kept,
          only: [...only, ...trace, ...kept],
          draw: (k, stem) =>
            transformNoise((stem === "around" ? around : seen)!, batch, `${restart}/${from.steps + step}`, k, stem),
        });
        const record: StepRecord = {
          step: from.steps + step,
          restart,
          loss: floats(out.loss as Tensor),
          objective: floats(out.objective as Tensor),
          zeroGradient: floats(out.zero_gradient as Tensor),
          nanGradient: floats(out.nan_gradient as Tensor),
        };
        if (onTrace) {
          onTrace({
            ...record,
            x: await this.#downloadAll(x),
            state: await this.#downloadAll(state),
            gradient: Object.fromEntries(roles.map((r) => [r, out[`gradient.${r}`] as Tensor])),
            weight: out.weight as Tensor,
          });
        }
        release([...Object.values(x), ...Object.values(state)]);
        x = Object.fromEntries(roles.map((r) => [r, out[`next.${r}`] as unknown as DeviceTensor]));
        state = Object.fromEntries(this.#stateNames(roles).map((n) => [n, out[`next_state.${n}`] as unknown as DeviceTensor]));
        if (step < steps) {
          records.push(record);
          onStep?.(record);
        }
      }
      const result = this.rule.result !== "last" ? Object.fromEntries(roles.map((r) => [r, state[`best.${r}`]!])) : x;
      return {
        images: { ...batch.images, ...(await this.#downloadAll(result)) } as Record<string, Tensor<"float32">>,
        steps: records,
      };
    } finally {
      release([...Object.values(resident), ...Object.values(x), ...Object.values(state)]);
    }
  }

  /** The end of the stage before, in this one's ball. */
  async #resume(batch: AttackBatch, roles: readonly string[], { images }: Continued): Promise<Handles> {
    const feeds: Handles = { epsilon: scalar(this.attack.budget.epsilon), ...(batch.region && { region: batch.region }) };
    for (const r of roles) [feeds[`clean.${r}`], feeds[`x.${r}`]] = [batch.images[r]!, images[r]!];
    const out = await this.programs.project!.run(feeds, { keep: roles.map((r) => `next.${r}`) });
    return Object.fromEntries(roles.map((r) => [r, out[`next.${r}`] as unknown as DeviceTensor]));
  }

  async #start(batch: AttackBatch, roles: readonly string[], restart: number): Promise<Handles> {
    const x: Handles = {};
    if (!this.programs.start) {
      for (const r of roles) x[r] = await this.engine.upload(batch.from?.[r] ?? batch.images[r]!);
      return x;
    }
    const feeds: Handles = { epsilon: scalar(this.attack.budget.epsilon) };
    if (batch.region) feeds.region = batch.region;
    for (const r of roles) {
      feeds[`clean.${r}`] = batch.images[r]!;
      const { shape } = batch.images[r]!;
      const label = `start/${r}/${restart}`;
      const ball = this.attack.start === "ball" ? this.attack.norm.ball : undefined;
      const draw = this.attack.start === "projected" ? (random: Random) => random.normal() : (ball?.noise ?? uniform);
      feeds[`start.${r}`] = batch.start?.[r] ?? noise(batch, shape, label, draw);
      if (ball) feeds[`start_radius.${r}`] = startRadius(batch, shape, `${label}/radius`, ball.radius);
    }
    const names = roles.map((r) => `next.${r}`);
    const out = await this.programs.start.run(feeds, { keep: names });
    for (const r of roles) x[r] = out[`next.${r}`] as unknown as DeviceTensor;
    return x;
  }

  #initialState(batch: AttackBatch, roles: readonly string[], x: Handles): Handles {
    const state: Handles = {};
    for (const { name, per, initial } of this.rule.state) {
      for (const role of per === "image" ? roles : [roles[0]!]) {
        const shape = per === "image" ? batch.images[role]!.shape : [batch.samples.length];
        state[stateName(name, per, role)] =
          initial === "start"
            ? x[role]!
            : tensor("float32", shape, new Float32Array(sizeOf(shape)).fill(firstValue(initial, this.attack.budget.epsilon)));
      }
    }
    return state;
  }

  #stateNames(roles: readonly string[]): string[] {
    return this.rule.state.flatMap(({ name, per }) => (per === "image" ? roles.map((r) => stateName(name, per, r)) : [name]));
  }

  async #downloadAll(handles: Handles): Promise<Record<string, Tensor>> {
    const copies: Record<string, Tensor> = {};
    for (const [name, t] of Object.entries(handles))
      copies[name] = t.data === undefined ? await this.engine.download(t) : (t as Tensor);
    return copies;
  }
}

/** Whole steps for each stage; those without any are left out. */
export function stagesOf(stages: readonly Stage[], steps: number): { readonly radius: number; readonly steps: number }[] {
  let left = steps;
  const all = stages.map(({ radius, share, rounded }, i) => {
    // 1e-9: .3 · 10 is 2.9999999999999996 or 3.0000000000000004 in binary.
    const whole = rounded === "up" ? Math.ceil(share * steps - 1e-9) : Math.floor(share * steps + 1e-9);
    const own = i + 1 < stages.length ? Math.min(whole, left) : left;
    left -= own;
    return { radius, steps: own };
  });
  return all.filter((stage) => stage.steps > 0);
}

const scalar = (value: number): Tensor => tensor("float32", [], [value]);
const floats = (t: Tensor): Float32Array => t.data as Float32Array;

/** Raw noise for one draw of a transform; `pass` tells the passes of a search apart. */
export function transformNoise(transform: Transform, batch: AttackBatch, pass: string, draw: number, stem?: NoiseStem): Handles {
  const feeds: Handles = {};
  for (const [role, { shape }] of Object.entries(batch.images)) {
    const label = `transform/${pass}/${noiseName(transform, draw, role, stem)}`;
    feeds[noiseName(transform, undefined, role)] ??= noise(batch, transform.noise(shape), label, uniform);
  }
  return feeds;
}

const uniform = (random: Random): number => random.uniform(-1, 1);

/** Each sample has a stream of its own. */
function noise(batch: AttackBatch, shape: Shape, label: string, draw: (random: Random) => number): Tensor<"float32"> {
  const drawn = tensor("float32", shape);
  const n = sizeOf(shape.slice(1));
  batch.samples.forEach((sample, b) => {
    const random = new Random(batch.seed, `${sample}/${label}`);
    for (let i = 0; i < n; i++) drawn.data[b * n + i] = draw(random);
  });
  return drawn;
}

function startRadius(
  batch: AttackBatch,
  shape: Shape,
  label: string,
  radius: (u: number, n: number) => number,
): Tensor<"float32"> {
  const n = sizeOf(shape.slice(1));
  return noise(batch, [batch.samples.length], label, (random) => radius(random.uniform(0, 1), n));
}

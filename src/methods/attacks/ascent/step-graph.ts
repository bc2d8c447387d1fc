import { livingGradients } from "../../../engine/autodiff/gradients.js";
import { Graph, type Value } from "../../../engine/graph/graph.js";
import {
  add,
  cast,
  clip,
  concat,
  div,
  equal,
  expand,
  isNan,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  sub,
  where,
} from "../../../engine/operators/index.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { type AttackedModel, imagesOf, perturbedRoles } from "../attacked-model.js";
import { lossOfPixels, perImage, targetInputs } from "../evaluation-graph.js";
import type { Transform } from "../transforms/transform.js";
import type { DescentRule, ProjectedAscent } from "./ascent.js";
import { nearestLevels } from "./descent/on-grid.js";
import { ruleOf } from "./descent/rule-of.js";
import { looks, type NoiseStem, noiseInputs, noiseName } from "./looks.js";

/**
 * The whole attack step as one model. Inputs: `x.<role>` (iterate) and `clean.<role>` for each perturbed image, `<role>` for the others, `target`,
 * optionally `valid`, `region`, `noise<draw>[.<role>]` (random views, EOT), `around<draw>[.<role>]` (neighbors); scalars `epsilon`, `step_size`, `progress` (t / T) and those of the descent rule; its state as
 * `state.<name>[.<role>]`. Outputs: `next.<role>`, the state under `next_state....`, `objective` [B] (what is maximized, or what iterates are compared by), `loss` [B] (plain mean loss),
 * `prediction`, `zero_gradient` and `nan_gradient` [B] (shares of the elements), and for traces `gradient.<role>` and `weight`.
 */
export function stepGraph(attack: ProjectedAscent, model: AttackedModel): Graph {
  const graph = new Graph();
  const inputs = imageInputs(graph, model);
  const scalarInput = (name: string) => graph.input(name, "float32", []);
  const epsilon = scalarInput("epsilon");
  const stepSize = scalarInput("step_size");
  const progress = scalarInput("progress");
  const rule = ruleOf(attack, model.task);
  const state = stateInputs(graph, rule, inputs);

  const { seen, around } = looks(attack, model, rule);
  const at = lookedAt(rule, inputs, state, stepSize);
  const look = (transform: Transform | undefined, x: ImageInputs["x"], stem: NoiseStem) =>
    draws(graph, transform, { ...inputs.fixed, ...x }, epsilon, stem).map((images) =>
      evaluate(graph, attack, model, images, progress),
    );
  const passes = look(seen, at, "noise");
  const average = (pick: (p: (typeof passes)[number]) => Value) =>
    passes.length === 1
      ? pick(passes[0]!)
      : div(
          passes.map(pick).reduce((a, b) => add(a, b)),
          passes.length,
        );
  const objective = average((p) => p.objective);
  const slopesOf = (differentiated: Value, x: ImageInputs["x"]) => {
    const batched = overBatch(attack, model, differentiated);
    const away = attack.goal === "untargeted" ? batched : neg(batched);
    return livingGradients(
      "loss",
      away,
      inputs.perturbed.map((role) => x[role]!),
    );
  };
  const slopes = slopesOf(
    average((p) => p.differentiated),
    at,
  );
  const near = around && look(around, inputs.x, "around").map((p) => p.differentiated);
  const found = {
    slopes,
    ...(near && { around: slopesOf(div(near.reduce(add), near.length), inputs.x) }),
    objective,
    remaining: average((p) => p.remaining),
  };
  takeStep(graph, attack, rule, inputs, state, { stepSize, epsilon }, found);
  inputs.perturbed.forEach((role, i) => {
    // The gradient as published: of the loss itself, whatever the goal.
    graph.output(`gradient.${role}`, attack.goal === "untargeted" ? slopes[i]! : neg(slopes[i]!));
  });
  graph.output("objective", objective);
  graph.output(
    "loss",
    average((p) => p.loss),
  );
  graph.output("prediction", passes[0]!.prediction);
  graph.output("weight", passes[0]!.weight);
  return graph;
}

/**
 * The part of a step that looks at pixels' losses, for what the predictor takes at a time: whole images, or tiles of them; a batch, or a part of it. Inputs:
 * `x.<role>` and `<role>` as in `stepGraph`, `target`, `valid` (with tiles: 1 on the core where the target is known), `progress`. Outputs: `gradient.<role>`
 * (of the loss itself, whatever the goal), `objective`, `loss` and `remaining` [B] (means over the pixels), `prediction`, `weight`.
 */
export function gradientGraph(attack: ProjectedAscent, model: AttackedModel): Graph {
  const graph = new Graph();
  const perturbed = perturbedRoles(model);
  const images = Object.fromEntries(
    Object.entries(model.predictor.images).map(([role, shape]) => [
      role,
      graph.input(perturbed.includes(role) ? `x.${role}` : role, "float32", shape),
    ]),
  );
  const pass = evaluate(graph, attack, model, images, graph.input("progress", "float32", []));
  const slopes = livingGradients(
    "loss",
    overBatch(attack, model, pass.differentiated),
    perturbed.map((role) => images[role]!),
  );
  perturbed.forEach((role, i) => {
    graph.output(`gradient.${role}`, slopes[i]!);
  });
  for (const name of ["objective", "loss", "remaining", "prediction", "weight"] as const) graph.output(name, pass[name]);
  return graph;
}

/** Where the gradient is to be taken, where that is not the iterate: inputs `x.<role>`, the state and `step_size`; outputs `x.<role>`. */
export function lookGraph(attack: ProjectedAscent, model: AttackedModel): Graph {
  const graph = new Graph();
  const inputs = imageInputs(graph, model);
  const rule = ruleOf(attack, model.task);
  const at = lookedAt(rule, inputs, stateInputs(graph, rule, inputs), graph.input("step_size", "float32", []));
  for (const role of inputs.perturbed) graph.output(`at.${role}`, at[role]!);
  return graph;
}

/** The rest of a step: `stepGraph` with the inputs `gradient.<role>`, `around.<role>` (if asked for), `objective` and `remaining` in place of the model. */
export function updateGraph(attack: ProjectedAscent, model: AttackedModel): Graph {
  const graph = new Graph();
  const inputs = imageInputs(graph, model);
  const stepSize = graph.input("step_size", "float32", []);
  const epsilon = graph.input("epsilon", "float32", []);
  const perSample = (name: string) => graph.input(name, "float32", [Object.values(inputs.x)[0]!.shape[0]!]);
  const rule = ruleOf(attack, model.task);
  const slopesOf = (name: string) =>
    inputs.perturbed.map((role) => {
      const gradient = graph.input(`${name}.${role}`, "float32", inputs.x[role]!.shape);
      return attack.goal === "untargeted" ? gradient : neg(gradient);
    });
  const found = {
    slopes: slopesOf("gradient"),
    ...(rule.around && { around: slopesOf("around") }),
    objective: perSample("objective"),
    remaining: perSample("remaining"),
  };
  takeStep(graph, attack, rule, inputs, stateInputs(graph, rule, inputs), { stepSize, epsilon }, found);
  return graph;
}

/** What a step found out about the objective; slopes for each perturbed image. */
interface Found {
  readonly slopes: readonly Value[];
  readonly around?: readonly Value[];
  readonly objective: Value;
  readonly remaining: Value;
}

/** From the gradient to the next iterate: outputs `next.<role>`, the next state, `zero_gradient` and `nan_gradient`. */
function takeStep(
  graph: Graph,
  attack: ProjectedAscent,
  rule: DescentRule,
  inputs: ImageInputs,
  state: StateValues,
  { stepSize, epsilon }: { readonly stepSize: Value; readonly epsilon: Value },
  { slopes, around, objective, remaining }: Found,
): void {
  const project = (i: number, x: Value): Value => projected(attack, inputs, epsilon, inputs.clean[inputs.perturbed[i]!]!, x);
  const usable = (slope: Value): Value => {
    const prepared = rule.prepare?.(finite(slope)) ?? finite(slope);
    return inputs.region ? mul(prepared, inputs.region) : prepared;
  };
  const scalars = Object.fromEntries(
    Object.keys(rule.schedule?.(0, 1) ?? {}).map((name) => [name, graph.input(name, "float32", [])]),
  );
  const next = rule.step({
    images: inputs.perturbed.map((role, i) => ({
      x: inputs.x[role]!,
      clean: inputs.clean[role]!,
      gradient: usable(slopes[i]!),
      ...(around && { around: usable(around[i]!) }),
    })),
    objective: attack.goal === "untargeted" ? objective : neg(objective),
    remaining,
    state,
    scalars,
    norm: attack.norm,
    stepSize,
    epsilon,
    project,
  });
  inputs.perturbed.forEach((role, i) => {
    graph.output(`next.${role}`, next.images[i]!);
  });
  for (const { name, per } of rule.state) {
    next.state[name]!.forEach((v, i) => {
      graph.output(`next_state.${stateName(name, per, inputs.perturbed[i]!)}`, v);
    });
  }
  const all = slopes.map((g) => reshape(g, [g.shape[0]!, -1]));
  const flat = all.length === 1 ? all[0]! : concat(all, 1);
  graph.output("zero_gradient", reduceMean(cast(equal(flat, 0), "float32"), [1], "drop"));
  graph.output("nan_gradient", reduceMean(cast(isNan(mul(flat, 0)), "float32"), [1], "drop"));
}

/** What is differentiated, from what each sample has: a mean is one over the whole batch, also where this is a part of it. */
function overBatch({ weight }: ProjectedAscent, { batch }: AttackedModel, objective: Value): Value {
  if (weight.batch === "sum") return reduceSum(objective);
  const mean = reduceMean(objective);
  return batch === undefined ? mean : mul(mean, objective.shape[0]! / batch);
}

/** What the passes of one step see: the images as they are, or several random transforms of all. */
function draws(
  graph: Graph,
  transform: Transform | undefined,
  images: Readonly<Record<string, Value>>,
  epsilon: Value,
  stem: NoiseStem,
): Readonly<Record<string, Value>>[] {
  if (!transform) return [images];
  return Array.from({ length: transform.samples }, (_, s) => {
    const numbers: Readonly<Record<string, number>> = transform.numbers?.(s) ?? {};
    const number = (name: string) => (name === "epsilon" ? epsilon : graph.constant(tensor("float32", [], [numbers[name]!])));
    const noise = noiseInputs(graph, transform, (role) => noiseName(transform, s, role, stem));
    return Object.fromEntries(
      Object.entries(images).map(([role, v]) => [role, transform.apply(v, noise(role, v.shape), number)]),
    );
  });
}

/** Where the gradient is taken, by role. */
function lookedAt(rule: DescentRule, { perturbed, x }: ImageInputs, state: StateValues, stepSize: Value): ImageInputs["x"] {
  const at = rule.lookAt?.({ x: perturbed.map((role) => x[role]!), state, stepSize });
  return at ? Object.fromEntries(perturbed.map((role, i) => [role, at[i]!])) : x;
}

/** A point brought into the ball, the region and [0, 1]: inputs `clean.<role>`, `x.<role>`, `epsilon`, optionally `region`; outputs `next.<role>`. */
export function projectGraph(attack: ProjectedAscent, model: AttackedModel): Graph {
  const graph = new Graph();
  const epsilon = graph.input("epsilon", "float32", []);
  const region = model.region ? regionInput(graph, model) : undefined;
  for (const role of perturbedRoles(model)) {
    const [x, clean] = (["x", "clean"] as const).map((name) => graph.input(`${name}.${role}`, "float32", imagesOf(model)[role]!));
    const inside = projected(attack, { region }, epsilon, clean!, x!);
    graph.output(`next.${role}`, attack.budget.grid === "8-bit" ? nearestLevels(inside, clean!, attack.norm, epsilon) : inside);
  }
  return graph;
}

function projected(
  attack: ProjectedAscent,
  { region }: Pick<ImageInputs, "region">,
  epsilon: Value,
  clean: Value,
  x: Value,
): Value {
  const delta = attack.norm.project(region ? mul(sub(x, clean), region) : sub(x, clean), epsilon, clean);
  return clip(add(clean, delta), 0, 1);
}

/**
 * Random start: inputs `clean.<role>`, `start.<role>` (raw noise), `epsilon`, optionally `region`, and for starts inside the ball `start_radius.<role>` [B],
 * the share of the radius; outputs `next.<role>`.
 */
export function startGraph(attack: ProjectedAscent, model: AttackedModel): Graph {
  const graph = new Graph();
  const epsilon = graph.input("epsilon", "float32", []);
  const perturbed = perturbedRoles(model);
  const region = model.region ? regionInput(graph, model) : undefined;
  for (const role of perturbed) {
    const shape = imagesOf(model)[role]!;
    const clean = graph.input(`clean.${role}`, "float32", shape);
    const raw = graph.input(`start.${role}`, "float32", shape);
    const far = attack.start === "projected" ? attack.norm.project(raw, epsilon, clean) : attack.norm.start(raw, epsilon);
    const inner = attack.start === "ball" && attack.norm.ball;
    const delta = inner
      ? mul(far, reshape(graph.input(`start_radius.${role}`, "float32", [shape[0]!]), [shape[0]!, 1, 1, 1]))
      : far;
    const inside = clip(add(clean, region ? mul(delta, region) : delta), 0, 1);
    graph.output(`next.${role}`, attack.budget.grid === "8-bit" ? nearestLevels(inside, clean, attack.norm, epsilon) : inside);
  }
  return graph;
}

export function stateName(name: string, per: "image" | "sample", role: string): string {
  return per === "image" ? `${name}.${role}` : name;
}

interface ImageInputs {
  readonly perturbed: readonly string[];
  readonly x: Readonly<Record<string, Value>>;
  readonly clean: Readonly<Record<string, Value>>;
  readonly fixed: Readonly<Record<string, Value>>;
  readonly region: Value | undefined;
}

function imageInputs(graph: Graph, model: AttackedModel): ImageInputs {
  const perturbed = perturbedRoles(model);
  const x: Record<string, Value> = {};
  const clean: Record<string, Value> = {};
  const fixed: Record<string, Value> = {};
  for (const [role, shape] of Object.entries(imagesOf(model))) {
    if (perturbed.includes(role)) {
      x[role] = graph.input(`x.${role}`, "float32", shape);
      clean[role] = graph.input(`clean.${role}`, "float32", shape);
    } else fixed[role] = graph.input(role, "float32", shape);
  }
  return { perturbed, x, clean, fixed, region: model.region ? regionInput(graph, model) : undefined };
}

function regionInput(graph: Graph, model: AttackedModel): Value {
  const [b, , h, w] = Object.values(imagesOf(model))[0]!;
  return graph.input("region", "float32", [b!, 1, h!, w!]);
}

function evaluate(graph: Graph, attack: ProjectedAscent, model: AttackedModel, images: Record<string, Value>, progress: Value) {
  const prediction = model.predictor.predict(graph, images);
  const { target, options } = targetInputs(graph, model, prediction);
  const loss = lossOfPixels(attack, model.task, prediction, target, options);
  const weight = attack.weight.weigh({ task: model.task, prediction, target, options, goal: attack.goal, progress });
  const weighted = weight ? mul(weight, loss) : loss;
  const tracked =
    attack.tracked === undefined
      ? undefined
      : perImage(lossOfPixels({ loss: attack.tracked }, model.task, prediction, target, options));
  const differentiated = perImage(weighted);
  const ones = () => expand(graph.constant({ type: "float32", shape: [], data: new Float32Array([1]) }), loss.shape);
  const correct = perImage(model.task.correct(prediction, target, options));
  return {
    prediction,
    loss: tracked ?? perImage(loss),
    objective: tracked ?? differentiated,
    differentiated,
    weight: weight ?? ones(),
    remaining: attack.goal === "untargeted" ? correct : neg(correct),
  };
}

/** The largest float32. */
const largestFloat = (2 - 2 ** -23) * 2 ** 127;

/** A gradient to step along: what is not a number counts as 0, what is infinite as the largest number. Both are counted in `nan_gradient`. */
function finite(gradient: Value): Value {
  return where(isNan(gradient), 0, clip(gradient, -largestFloat, largestFloat));
}

type StateValues = Readonly<Record<string, readonly Value[]>>;

function stateInputs(graph: Graph, rule: DescentRule, inputs: ImageInputs): StateValues {
  const batch = Object.values(inputs.x)[0]?.shape[0] ?? 1;
  return Object.fromEntries(
    rule.state.map(({ name, per }) => [
      name,
      per === "image"
        ? inputs.perturbed.map((role) => graph.input(`state.${stateName(name, per, role)}`, "float32", inputs.x[role]!.shape))
        : [graph.input(`state.${name}`, "float32", [batch])],
    ]),
  );
}

import { copyAliases, copyNodes } from "../../graph/copy.js";
import { Graph, GraphError, type Node, type Value } from "../../graph/graph.js";
import { cast } from "../../operators/elementwise/cast.js";
import { concat } from "../../operators/layout/concat.js";
import { reshape } from "../../operators/layout/reshape.js";
import { slice } from "../../operators/layout/slice.js";
import { sizeOf } from "../../tensor/tensor.js";
import { chooseSchedule } from "./choose.js";
import { Schedule, type Step, Sweeps } from "./schedule.js";

/** What `recompute` made of a graph. */
export interface Recomputed {
  readonly graph: Graph;
  /** Estimated peak of inner values, in bytes, before and after. */
  readonly before: number;
  readonly after: number;
  /** Nodes that are computed a second time. */
  readonly again: number;
}

/**
 * Makes a graph with a gradient need less memory: values of the forward sweep that the reverse sweep reads are computed again where it reads
 * them, instead of being kept from one sweep to the other. The numbers are the same, to the bit where the runtime computes both as written.
 *
 * The last step of all: rewriting or building on would share what is computed twice.
 *
 * @param memory bytes that inner values may take by the estimate of `peakMemory`; weights, and what the runtime needs itself, come on top.
 * @throws GraphError with the least that is possible, where the budget is below it.
 * @example const { graph } = recompute(lower(gradientGraph(model), "cpu"), 4 * 2 ** 30);
 */
export function recompute(source: Graph, memory: number): Recomputed {
  const sweeps = new Sweeps(source);
  const before = new Schedule(sweeps, { ends: [sweeps.forward.length], again: 0, kept: new Set() }).peak();
  const { choice, least } = chooseSchedule(sweeps, memory);
  if (!choice) {
    throw new GraphError(
      `${gibibytes(memory)} of memory are not enough: the least that recomputing reaches is ${gibibytes(least)}, of ${gibibytes(before)} where all is kept; give more, or smaller inputs.`,
    );
  }
  if (choice.schedule.again.size === 0) return { graph: source, before, after: before, again: 0 };
  const { graph, again } = new Builder(choice.schedule).build();
  return { graph, before, after: choice.peak, again };
}

/** Rounded up: what is said to be enough must be. */
function gibibytes(bytes: number): string {
  const [unit, size, digits] = bytes < 2 ** 30 ? (["MiB", 2 ** 20, 1] as const) : (["GiB", 2 ** 30, 2] as const);
  return `${(Math.ceil((bytes / size) * 10 ** digits) / 10 ** digits).toFixed(digits)} ${unit}`;
}

/** Writes a schedule as a graph. */
class Builder {
  readonly target = new Graph();
  /** Values as they are made for the first time, and as they are computed again. */
  readonly first = new Map<Value, Value>();
  readonly copies = new Map<Value, Value>();
  readonly move: (v: Value) => Value;
  /** For each later node the earliest segment (counted from the beginning) that the reverse sweep has come to when it is computed. */
  readonly #levels = new Map<Node, number>();
  readonly #nothing = new Map<number, Value>();
  readonly #waiting = new Map<string, Value>();
  #again = 0;

  constructor(readonly schedule: Schedule) {
    const { graph, later } = schedule.sweeps;
    for (const name of graph.values.keys()) this.target.names.reserve(name);
    for (const v of graph.inputs) this.first.set(v, this.target.input(v.name, v.type, v.shape));
    this.move = copyNodes([], this.target, this.first);
    for (const node of later) this.#levels.set(node, this.#levelOf(node));
  }

  build(): { graph: Graph; again: number } {
    const { steps, sweeps } = this.schedule;
    for (const step of steps) {
      if (step.time === "again") this.#computeAgain(step);
      else {
        const isForward = sweeps.position.has(step.node.outputs[0]!);
        this.#add(
          step.node,
          step.node.inputs.map((v) => v && (isForward ? this.move(v) : this.#read(v))),
        );
      }
    }
    for (const [name, v] of sweeps.graph.outputs) this.target.output(name, this.move(v));
    copyAliases(sweeps.graph, this.first);
    return { graph: this.target, again: this.#again };
  }

  #add(node: Node, inputs: readonly (Value | undefined)[]): void {
    const outputs = this.target.during(node.sweep, () =>
      this.target.add(node.operator, inputs, node.attributes, { ...node, outputNames: node.outputs.map((v) => v.name) }),
    );
    node.outputs.forEach((v, i) => {
      this.first.set(v, outputs[i]!);
    });
  }

  #computeAgain({ node, waits }: Step): void {
    const inputs = node.inputs.map(
      (v) => v && (v === waits ? this.#wait(v, this.schedule.segmentOf(node.outputs[0]!)!) : this.#read(v)),
    );
    const outputs = this.target.during("reverse", () =>
      this.target.add(node.operator, inputs, node.attributes, {
        ...node,
        name: "",
        outputNames: node.outputs.map((v) => `${v.name}.again`),
      }),
    );
    node.outputs.forEach((v, i) => {
      this.copies.set(v, outputs[i]!);
    });
    this.#again++;
  }

  /** A value as later nodes find it. */
  #read(v: Value): Value {
    return (this.schedule.again.has(v) && this.copies.get(v)) || this.move(v);
  }

  /**
   * The value, not before the reverse sweep has reached the segment: ONNX Runtime runs nodes in an order of its own, and would compute
   * everything a second time at the beginning. Joined to the value are no elements of a cotangent, so that its bits are what they are.
   */
  #wait(v: Value, segment: number): Value {
    const key = `${segment} ${v.name}`;
    const known = this.#waiting.get(key);
    if (known) return known;
    const nothing = this.#nothingOf(segment);
    const held = this.move(v);
    if (!nothing) return held;
    const waiting = this.target.during("reverse", () => this.#after(held, nothing));
    this.#waiting.set(key, waiting);
    return waiting;
  }

  /** No elements of what the reverse sweep makes of the segments behind this one. */
  #nothingOf(segment: number): Value | undefined {
    const known = this.#nothing.get(segment);
    if (known) return known;
    const ends = this.#endsOf(segment);
    if (ends.length === 0) return undefined;
    const nothing = this.target.during("reverse", () => this.#noElements(ends.map((v) => this.first.get(v)!)));
    this.#nothing.set(segment, nothing);
    return nothing;
  }

  /** float32[0], when the values are there. */
  #noElements(values: readonly Value[]): Value {
    return concat(
      values.map((v) => cast(slice(reshape(v, [sizeOf(v.shape)]), [0], [0]), "float32")),
      0,
    );
  }

  /** The value itself, when `nothing` is there. */
  #after(v: Value, nothing: Value): Value {
    return concat([v, reshape(cast(nothing, v.type), [0, ...v.shape.slice(1)])], 0);
  }

  /**
   * Where the reverse sweep has come to when it enters a segment: the latest cotangent that it brings along, and gradients of weights that
   * it leaves behind.
   */
  #endsOf(segment: number): Value[] {
    const { later } = this.schedule.sweeps;
    const level = (v: Value) => (v.node && this.#levels.get(v.node)) ?? Number.NEGATIVE_INFINITY;
    const brought: Value[] = [];
    const read = new Set<Value>();
    for (const node of later) {
      for (const v of node.inputs) {
        if (!v) continue;
        read.add(v);
        if (this.#levels.get(node)! <= segment && level(v) > segment) brought.push(v);
      }
    }
    const order = new Map(later.flatMap(({ outputs }) => outputs).map((v, i) => [v, i]));
    const there = brought.filter((v) => this.first.has(v) && sizeOf(v.shape) > 0);
    there.sort((a, b) => level(a) - level(b) || order.get(b)! - order.get(a)!);
    const behind = later
      .flatMap(({ outputs }) => outputs)
      .filter((v) => !read.has(v) && level(v) === segment + 1 && this.first.has(v) && sizeOf(v.shape) > 0);
    return [...there.slice(0, 1), ...behind];
  }

  #levelOf(node: Node): number {
    const { schedule } = this;
    const levels = node.inputs.map((v) => {
      if (!v) return Number.POSITIVE_INFINITY;
      const later = v.node && this.#levels.get(v.node);
      if (later !== undefined) return later;
      const segment = schedule.segmentOf(v);
      // A value that crosses segments is read wherever it is, and says nothing.
      return segment === undefined || schedule.crosses(v) ? Number.POSITIVE_INFINITY : segment;
    });
    return Math.min(schedule.plan.ends.length, ...levels);
  }
}

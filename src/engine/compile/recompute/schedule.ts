import { neededNodes } from "../../graph/copy.js";
import { bytesOf, fixedValues, flops } from "../../graph/cost.js";
import type { Graph, Node, Value } from "../../graph/graph.js";

/** What is computed twice, and what is kept. */
export interface Plan {
  /** Where segments of the forward sweep end, in ascending order, as positions among its nodes. */
  readonly ends: readonly number[];
  /** So many segments, from the beginning, are computed again. */
  readonly again: number;
  /** Values of these segments that are kept all the same. */
  readonly kept: ReadonlySet<Value>;
}

/** A node at its place in the order of computation. */
export interface Step {
  readonly node: Node;
  readonly time: "first" | "again";
  /** The operand that is read through a copy, which is not made before the reverse sweep has reached the segment. */
  readonly waits?: Value | undefined;
}

/** Smaller values are always kept: they are worth neither memory nor nodes. */
const negligible = 4096;

/** The sweeps of a graph with a gradient: what the forward sweep makes, and which of it the reverse sweep reads. */
export class Sweeps {
  /** Nodes that depend on no cotangent, in order: what a plan cuts into segments. */
  readonly forward: readonly Node[];
  /** All others: the reverse sweep, and what follows it. */
  readonly later: readonly Node[];
  /** Values of the forward sweep that later nodes read: what is kept where nothing is computed again. */
  readonly saved: ReadonlySet<Value>;
  /** The place of the forward node that makes a value. */
  readonly position = new Map<Value, number>();
  readonly lastForwardUse = new Map<Value, number>();
  readonly outputs: ReadonlySet<Value>;
  /** What the runtime computes when it loads the graph. */
  readonly fixed: { has(v: Value): boolean };

  constructor(readonly graph: Graph) {
    const nodes = neededNodes(graph.outputs.values());
    this.outputs = new Set(graph.outputs.values());
    this.fixed = fixedValues(nodes);
    const isLater = new Set<Node>();
    for (const node of nodes)
      if (node.sweep === "reverse" || node.inputs.some((v) => v?.node && isLater.has(v.node))) isLater.add(node);
    this.forward = nodes.filter((node) => !isLater.has(node));
    this.later = nodes.filter((node) => isLater.has(node));
    this.forward.forEach((node, i) => {
      for (const v of node.outputs) this.position.set(v, i);
      for (const v of node.inputs) if (v) this.lastForwardUse.set(v, i);
    });
    const read = this.later.flatMap(({ inputs }) => inputs);
    this.saved = new Set(read.filter((v): v is Value => v !== undefined && this.position.has(v)));
  }

  /** Bytes that a cut before a position leaves behind: forward values from before it that forward nodes behind it read. */
  crossing(): Float64Array {
    const bytes = new Float64Array(this.forward.length + 1);
    for (const [v, made] of this.position) {
      const last = this.lastForwardUse.get(v);
      if (last === undefined || last <= made || this.fixed.has(v)) continue;
      bytes[made + 1]! += bytesOf(v);
      bytes[last + 1]! -= bytesOf(v);
    }
    for (let i = 1; i < bytes.length; i++) bytes[i]! += bytes[i - 1]!;
    return bytes;
  }
}

/** The sweeps in the order of a plan. */
export class Schedule {
  /** The segment of each forward node. */
  readonly #segments: Int32Array;
  /** The segment in which later nodes find a value computed again; others they find as they were kept. */
  readonly again = new Map<Value, number>();
  readonly steps: readonly Step[];

  constructor(
    readonly sweeps: Sweeps,
    readonly plan: Plan,
  ) {
    this.#segments = new Int32Array(sweeps.forward.length);
    let from = 0;
    plan.ends.forEach((end, segment) => {
      this.#segments.fill(segment, from, end);
      from = end;
    });
    for (const [v, position] of sweeps.position) {
      const segment = this.#segments[position]!;
      const isKept =
        sweeps.fixed.has(v) || plan.kept.has(v) || sweeps.outputs.has(v) || bytesOf(v) <= negligible || v.node?.operator.random;
      if (segment < plan.again && v.node && !isKept && !this.crosses(v)) this.again.set(v, segment);
    }
    this.steps = this.#order();
  }

  /** The segment that makes a forward value. */
  segmentOf(v: Value): number | undefined {
    const position = this.sweeps.position.get(v);
    return position === undefined ? undefined : this.#segments[position];
  }

  /** Whether a forward value reaches beyond its segment: then it is a checkpoint. */
  crosses(v: Value): boolean {
    const last = this.sweeps.lastForwardUse.get(v);
    return last !== undefined && this.#segments[last] !== this.segmentOf(v);
  }

  /** The forward sweep, then each later node behind what it needs computed again. */
  #order(): Step[] {
    const steps: Step[] = this.sweeps.forward.map((node) => ({ node, time: "first" }));
    const done = new Set<Node>();
    const open = (v: Value | undefined) => v !== undefined && this.again.has(v) && !done.has(v.node!);
    for (const later of this.sweeps.later) {
      // With a stack of its own: a chain of thousands of nodes must not end in a stack overflow.
      const stack = later.inputs.filter(open).map((v) => v!.node!);
      for (let node = stack.at(-1); node; node = stack.at(-1)) {
        const before = done.has(node) ? undefined : node.inputs.find(open);
        if (before) {
          stack.push(before.node!);
          continue;
        }
        stack.pop();
        if (!done.has(node)) steps.push({ node, time: "again", waits: this.#waiting(node) });
        done.add(node);
      }
      steps.push({ node: later, time: "first" });
    }
    return steps;
  }

  /** One operand that waits holds back a node, and tells it from the first: one that is computed again, or else the smallest. */
  #waiting({ inputs }: Node): Value | undefined {
    if (inputs.some((v) => v && this.again.has(v))) return undefined;
    const held = inputs.filter((v): v is Value => v !== undefined && !this.sweeps.fixed.has(v) && v.shape.length > 0);
    return held.sort((a, b) => bytesOf(a) - bytesOf(b))[0];
  }

  /** Most bytes of inner values that are alive at once, as `peakMemory` counts them. */
  peak(): number {
    const { graph, outputs, position } = this.sweeps;
    // What is computed again is another value, and so is what waits for it.
    const originals = new Map<Value, number>();
    const copies = new Map<Value, number>();
    const waiting = new Map<string, { readonly v: Value; from: number; to: number }>();
    this.steps.forEach(({ node, time, waits }, i) => {
      const isForward = time === "first" && position.has(node.outputs[0]!);
      for (const v of node.inputs) {
        if (!v || this.sweeps.fixed.has(v)) continue;
        if (v === waits) {
          const key = `${this.segmentOf(node.outputs[0]!)} ${v.name}`;
          const known = waiting.get(key);
          if (known) known.to = i;
          else waiting.set(key, { v, from: i, to: i });
          if (!known) originals.set(v, i);
        } else (!isForward && this.again.has(v) ? copies : originals).set(v, i);
      }
    });
    for (const v of outputs) if (!this.sweeps.fixed.has(v)) originals.set(v, this.steps.length);
    const change = new Float64Array(this.steps.length + 1);
    const free = new Float64Array(this.steps.length + 1);
    for (const uses of [originals, copies]) for (const [v, i] of uses) free[i]! += bytesOf(v);
    for (const { v, from, to } of waiting.values()) {
      change[from]! += bytesOf(v);
      free[to]! += bytesOf(v);
    }
    let live = 0;
    for (const v of graph.inputs) if (originals.has(v)) live += bytesOf(v);
    let peak = live;
    this.steps.forEach(({ node, time }, i) => {
      const uses = time === "again" ? copies : originals;
      live += change[i]!;
      for (const v of node.outputs) if (uses.has(v)) live += bytesOf(v);
      peak = Math.max(peak, live);
      live -= free[i]!;
    });
    return peak;
  }

  /** What computing again costs, in units of floating-point operations. */
  work(): number {
    return this.steps.reduce((sum, { node, time }) => (time === "again" ? sum + costOf(node) : sum), 0);
  }
}

/** Floating-point operations of a node; moving a byte costs as much as ten of them. */
export const costOf = (node: Node): number =>
  flops(node) + 10 * [...node.inputs, ...node.outputs].reduce((sum, v) => (v ? sum + bytesOf(v) : sum), 0);

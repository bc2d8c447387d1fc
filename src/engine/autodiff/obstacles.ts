import type { Node, Value } from "../graph/graph.js";
import { nodeLabel } from "../graph/operator.js";
import { isFloat } from "../tensor/tensor.js";

/** A node that no gradient passes, and why. */
export interface Obstacle {
  readonly node: Node;
  readonly because: string;
}

/** Nodes with a derivative of 0 by definition that end every way, and the last values before them that can be differentiated. */
export interface Ends {
  readonly nodes: readonly Obstacle[];
  readonly lastValues: readonly Value[];
}

/**
 * Operators without a gradient stand between what is differentiated and what it is differentiated by. Lists every such node, and the last
 * values before them that can be differentiated.
 */
export class NotDifferentiableError extends Error {
  override readonly name = "NotDifferentiableError";
  constructor(
    readonly nodes: readonly Obstacle[],
    readonly lastValues: readonly Value[] = [],
  ) {
    super(
      `No gradient exists through ${nodes.length === 1 ? "this node" : `these ${nodes.length} nodes`}:\n${lines(nodes)}\n${lastValuesLine(
        nodes.length,
        lastValues.map((v) => v.name),
      )}`,
    );
  }
}

/** Nothing that is differentiated depends on what it is differentiated by, except through operators whose derivative is 0. */
export class ZeroGradientError extends Error {
  override readonly name = "ZeroGradientError";
  constructor(
    of: readonly string[],
    wrt: readonly string[],
    readonly ends: Ends,
    /** What that means to who asked, a sentence to begin with. */
    meaning?: string,
  ) {
    const { nodes, lastValues } = ends;
    const why =
      nodes.length === 0
        ? `${of.length === 1 ? "it does" : "they do"} not depend on ${wrt.length === 1 ? "it" : "them"}.`
        : `the only way leads through ${nodes.length === 1 ? "this node" : `these ${nodes.length} nodes`}:\n${lines(nodes)}\n${lastValuesLine(
            nodes.length,
            lastValues.map((v) => v.name),
          )}`;
    super(
      `${meaning === undefined ? "" : `${meaning} `}The gradient of ${quoted(of)} with respect to ${quoted(wrt)} is 0 everywhere: ${why}`,
    );
  }
}

/** What to differentiate instead, where obstacles stand in the way. */
export function lastValuesLine(obstacles: number, names: readonly string[]): string {
  const before = obstacles === 1 ? "it" : "them";
  if (names.length === 0) return `Nothing is computed before ${before} that could be differentiated instead.`;
  const command = `(command line: --of ${names.join(" ")})`;
  if (names.length > 6) return `${names.length} values before ${before} can be differentiated, each by itself too ${command}.`;
  const [values, are] = names.length === 1 ? ["value", "is"] : ["values", "are"];
  return `The last ${values} before ${before} that can be differentiated ${are} ${quoted(names)} ${command}.`;
}

/**
 * The values that obstacles read and that depend on no obstacle themselves: floating-point values that a gradient reaches.
 *
 * @param order nodes in the order of computation
 * @param active values that depend on `wrt`
 */
export function lastValuesBefore(
  obstacles: readonly Obstacle[],
  order: readonly Node[],
  active: ReadonlySet<Value>,
  wrt: readonly Value[],
): Value[] {
  const stops = new Set(obstacles.map(({ node }) => node));
  const behind = new Set<Value>();
  const reads = (node: Node) => node.inputs.filter((v): v is Value => v !== undefined && active.has(v));
  for (const node of order) {
    if (stops.has(node) || reads(node).some((v) => behind.has(v))) for (const v of node.outputs) behind.add(v);
  }
  const found = new Set<Value>();
  const visit = (v: Value): void => {
    if (behind.has(v) || wrt.includes(v)) return;
    if (isFloat(v.type)) found.add(v);
    else if (v.node) reads(v.node).forEach(visit);
  };
  for (const { node } of obstacles) reads(node).forEach(visit);
  return [...found];
}

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

function lines(nodes: readonly Obstacle[]): string {
  return nodes.map(({ node, because }) => `  ${nodeLabel(node)} (output "${node.outputs[0]!.name}"): ${because}`).join("\n");
}

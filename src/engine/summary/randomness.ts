import { neededNodes } from "../graph/copy.js";
import { Graph, type Value } from "../graph/graph.js";
import { nodeLabel } from "../graph/operator.js";

/** Labels of the nodes, among those that the values depend on, that draw new numbers in each run; those in branches and bodies of loops too. */
export function drawingNodes(values: Iterable<Value>): readonly string[] {
  return neededNodes(values).flatMap((node) => [
    ...(node.operator.random ? [nodeLabel(node)] : []),
    ...Object.values(node.attributes).flatMap((body) => (body instanceof Graph ? drawingNodes(body.outputs.values()) : [])),
  ]);
}

/**
 * One sentence where results differ from run to run; undefined where equal inputs yield equal results.
 *
 * @example randomness(graph.outputs.values()); // 'Dropout "/drop" draws new numbers in each run, so ...'
 */
export function randomness(values: Iterable<Value>): string | undefined {
  const [first, ...others] = drawingNodes(values);
  if (first === undefined) return undefined;
  const who = others.length === 0 ? `${first} draws` : `${first} and ${others.length} more draw`;
  return `${who} new numbers in each run, so results differ from run to run; if that is not wanted, export the model in evaluation mode.`;
}

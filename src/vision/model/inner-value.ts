import { type Graph, GraphError, type Value } from "../../engine/graph/graph.js";
import { modulePath } from "../../engine/graph/module-path.js";
import { nearest } from "../../engine/onnx/nearest.js";
import { isFloat } from "../../engine/tensor/tensor.js";

/**
 * A value within a model by the name that it has in the file, by the name of the node that computes it, or by the path of a PyTorch module as
 * exporters leave it in the nodes' names: `layer4.2.relu`, `layer4.2.relu_2` where it is called for the third time, `layer4` for the last value of
 * the stage.
 *
 * @throws GraphError with the nearest names where there is none, or where it is no floating-point number.
 */
export function innerValue(graph: Graph, name: string): Value {
  const node = graph.nodes.findLast((n) => n.name === name) ?? graph.nodes.findLast((n) => isWithin(modulePath(n.name), name));
  const value = graph.values.get(name) ?? node?.outputs[0];
  if (value && !isFloat(value.type))
    throw new GraphError(`"${name}" is ${value}; take a floating-point value before it or behind it.`);
  if (value) return value;
  const paths = graph.nodes.flatMap((n) => modulePath(n.name) ?? []);
  const alike = nearest(name, new Set([...graph.values.keys(), ...paths]), 3);
  throw new GraphError(
    `The model has no value, node or module "${name}"; ${alike.length > 0 ? `the nearest names are ${alike.map((n) => `"${n}"`).join(", ")}` : "faultline inspect lists what it has"}.`,
  );
}

const isWithin = (path: string | undefined, module: string): boolean =>
  path !== undefined && (path === module || path.startsWith(`${module}.`));

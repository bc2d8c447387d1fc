import type { Value } from "../../engine/graph/graph.js";
import { cast, dequantizeLinear } from "../../engine/operators/index.js";
import { isFloat } from "../../engine/tensor/tensor.js";

/**
 * What a model yields as the real numbers that it stands for. Models that are quantized throughout end in integers: (y - y_zero_point) * y_scale by the node
 * that quantized them, which ONNX's operators name so, whatever moves them about afterwards. Integers that nothing scales are taken as they are.
 *
 * @example dequantized(outputs.logits_quantized); // float32
 */
export function dequantized(x: Value): Value {
  if (isFloat(x.type) || x.type === "bool") return x;
  for (let v: Value | undefined = x; v?.node && v.type === x.type; [v] = v.node.inputs) {
    const { operator, inputs } = v.node;
    const at = operator.inputs.indexOf("y_scale");
    // One scale for each entry of an axis would have to be moved about with it.
    if (at >= 0 && inputs[at]!.shape.length === 0) return dequantizeLinear(x, inputs[at]!, inputs[at + 1]);
  }
  return cast(x, "float32");
}

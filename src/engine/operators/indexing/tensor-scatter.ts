import { defineComposite, int, string } from "../../graph/operator.js";
import { tensor } from "../../tensor/tensor.js";
import { add } from "../elementwise/add.js";
import { cast } from "../elementwise/cast.js";
import { mod } from "../elementwise/mod.js";
import { normalizeAxis, scalar } from "../emit.js";
import { expand } from "../layout/expand.js";
import { reshape } from "../layout/reshape.js";
import { scatterElements } from "./scatter-elements.js";

/** Writes an update into a cache along one axis, in each batch entry from its own place on; an operator since opset 24. */
export const TensorScatter = defineComposite({
  name: "TensorScatter",
  inputs: ["past_cache", "update", "write_indices?"],
  outputs: ["present_cache"],
  attributes: { axis: int(-2), mode: string("linear", ["linear", "circular"]) },
  decompose: ({ inputs: [cache, update, starts], attributes, graph, fail }) => {
    const rank = cache.shape.length;
    const axis = normalizeAxis(attributes.axis, rank, fail);
    if (axis === 0) fail("axis 0 is the batch's own");
    if (update.shape.length !== rank || update.shape.some((d, i) => (i === axis ? d > cache.shape[i]! : d !== cache.shape[i])))
      fail("update must have the shape of past_cache, but for an axis that may be shorter");
    const along = (values: number, at: number) => cache.shape.map((_, i) => (i === at ? values : 1));
    const steps = update.shape[axis]!;
    const order = tensor(
      "int64",
      along(steps, axis),
      Array.from({ length: steps }, (_, i) => i),
    );
    const offsets = starts ? reshape(cast(starts, "int64"), along(cache.shape[0]!, 0)) : scalar(graph, 0, "int64");
    const places = add(graph.constant(order), offsets);
    const inside = attributes.mode === "circular" ? mod(places, cache.shape[axis]!) : places;
    return [scatterElements(cache, expand(inside, update.shape), update, axis)];
  },
});

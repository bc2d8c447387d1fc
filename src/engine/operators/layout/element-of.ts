import type { Value } from "../../graph/graph.js";
import { tensor } from "../../tensor/tensor.js";
import { cast } from "../elementwise/cast.js";
import { gather } from "../indexing/gather.js";

/** One element of a vector, int64 `[1]`. */
export const elementOf = (v: Value, index: number): Value =>
  gather(cast(v, "int64"), v.graph.constant(tensor("int64", [1], [index])));

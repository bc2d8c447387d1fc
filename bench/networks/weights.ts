import type { Graph, Value } from "../../src/engine/graph/graph.js";
import { Random } from "../../src/engine/tensor/random.js";
import { tensor } from "../../src/engine/tensor/tensor.js";
import { fans } from "../../src/vision/nn/initializers.js";
import type { Binding, Declaration } from "../../src/vision/nn/scope.js";

/**
 * Random constants by which activations stay sane in a network that was never trained: weights of layers are normal with deviation
 * √(gain / fan-in); scales that a network starts at 0 (NAFNet's beta and gamma) would switch its blocks off and become normal as well, and so
 * do biases and the means of batch normalization, lest whole channels sit on the kink of a ReLU.
 */
export const randomWeights =
  (gain: number): Binding =>
  (graph: Graph, { name, shape, initialize }: Declaration): Value => {
    const random = new Random("bench", name);
    const values = initialize(shape, random);
    if (shape.length >= 2 && name.endsWith("weight")) fill(values, random, Math.sqrt(gain / fans(shape).in));
    else if (values.every((v) => v === 0)) fill(values, random, 0.2);
    return graph.constant(tensor("float32", shape, values), name);
  };

function fill(values: Float32Array, random: Random, deviation: number): void {
  for (let i = 0; i < values.length; i++) values[i] = random.normal(0, deviation);
}

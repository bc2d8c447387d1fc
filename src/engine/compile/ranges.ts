import type { Graph, Value } from "../graph/graph.js";
import type { Range } from "../graph/range.js";
import { isFloat, type Tensor, toNumbers } from "../tensor/tensor.js";

const unbounded: Range = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Ranges of the values of a graph that grows, each found once. See `Range`. */
export class Ranges {
  readonly #known = new Map<Value, Range | undefined>();
  #next = 0;

  constructor(private readonly graph: Graph) {}

  /** Whether no element can be infinite or NaN, where the inputs of the graph are finite and nothing overflows. */
  staysFinite(v: Value): boolean {
    return this.#of(v) !== undefined;
  }

  /** The range of a value; undefined where an element may be infinite or NaN. */
  range(v: Value): Range | undefined {
    return this.#of(v);
  }

  #of(v: Value): Range | undefined {
    // nodes stand in the order of construction, so those before are known when one is looked at
    for (; this.#next < this.graph.nodes.length; this.#next++) {
      const { operator, inputs, outputs, attributes } = this.graph.nodes[this.#next]!;
      if (!operator.range) continue;
      const ranges = inputs.map((x) => x && this.#look(x));
      for (const output of outputs) this.#known.set(output, operator.range({ inputs, ranges, attributes, output }));
    }
    return this.#look(v);
  }

  #look(v: Value): Range | undefined {
    if (this.#known.has(v)) return this.#known.get(v);
    const range = v.constant
      ? rangeOf(v.constant)
      : v.node && isFloat(v.type)
        ? undefined
        : v.type === "bool"
          ? { low: 0, high: 1 }
          : unbounded;
    if (!v.node) this.#known.set(v, range);
    return range;
  }
}

/** Large constants are weights, which are finite in any model that predicts anything: they are not looked through. */
function rangeOf(t: Tensor): Range | undefined {
  if (t.data.length > 2 ** 16 || t.data.length === 0) return unbounded;
  if (!seen.has(t)) seen.set(t, allFinite(t) ? boundsOf(t) : undefined);
  return seen.get(t);
}

/** Each stage of rewrites asks again about the same constants. */
const seen = new WeakMap<Tensor, Range | undefined>();

const allFinite = (t: Tensor): boolean => {
  const numbers = (t.type === "float16" ? toNumbers(t) : t.data) as Pick<number[], "includes">;
  return ![Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].some((odd) => numbers.includes(odd));
};

/** Most are weights of products, of whose bounds nobody asks: they are found when somebody does. */
function boundsOf(t: Tensor): Range {
  let bounds: Range | undefined;
  const found = (): Range => {
    bounds ??= lookThrough(t.data instanceof Float32Array ? t.data : toNumbers(t));
    return bounds;
  };
  return {
    get low() {
      return found().low;
    },
    get high() {
      return found().high;
    },
  };
}

function lookThrough(numbers: ArrayLike<number>): Range {
  let [low, high] = [numbers[0]!, numbers[0]!];
  for (let i = 0; i < numbers.length; i++) {
    const v = numbers[i]!;
    if (v < low) low = v;
    else if (v > high) high = v;
  }
  return { low, high };
}

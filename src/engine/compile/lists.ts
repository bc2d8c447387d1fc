import type { Value } from "../graph/graph.js";
import { nodeTitle } from "../onnx/check.js";
import { ModelError, type OnnxNode } from "../onnx/model.js";
import { concat } from "../operators/layout/concat.js";
import { split } from "../operators/layout/split.js";
import { squeeze } from "../operators/layout/squeeze.js";
import { unsqueeze } from "../operators/layout/unsqueeze.js";
import { type Tensor, tensor, toNumbers } from "../tensor/tensor.js";
import type { Importer } from "./importer.js";
import { UnknownShapeError } from "./known-part.js";
import type { Scope } from "./scope.js";

/**
 * Lists of tensors (ONNX's sequences) and tensors that may be missing (a list of one or none) are followed as the file is read: what a node puts
 * into a list or takes from it are values, and nothing of the list is left in the graph.
 */
type Follow = (node: ListNode) => Promise<readonly [Value | readonly Value[]]>;

interface ListNode {
  readonly into: Importer;
  readonly operand: (i: number) => Value | undefined;
  readonly list: (i: number) => readonly Value[];
  /** The numbers of an operand that must be constant; undefined where it is left out. */
  readonly numbers: (
    i: number,
    what: string,
  ) => Promise<{ readonly shape: readonly number[]; readonly values: number[] } | undefined>;
  readonly attribute: (name: string, otherwise: number) => number;
  readonly fail: (message: string) => never;
}

const follow: Readonly<Record<string, Follow>> = {
  SequenceEmpty: async () => [[]],
  SequenceConstruct: async ({ operand }) => {
    const list: Value[] = [];
    for (let v = operand(0); v; v = operand(list.length)) list.push(v);
    return [list];
  },
  SequenceInsert: async (node) => {
    const [list, v] = [node.list(0), node.operand(1)!];
    const at = await place(node, 2, list.length, list.length);
    return [[...list.slice(0, at), v, ...list.slice(at)]];
  },
  SequenceErase: async (node) => {
    const list = node.list(0);
    const at = await place(node, 1, list.length - 1, list.length - 1);
    return [list.filter((_, i) => i !== at)];
  },
  SequenceAt: async (node) => {
    const list = node.list(0);
    return [list[await place(node, 1, list.length - 1)]!];
  },
  SequenceLength: async ({ into, list }) => [into.graph.constant(tensor("int64", [], [list(0).length]) as Tensor)],
  SplitToSequence: splitToList,
  ConcatFromSequence: async ({ list, attribute, fail }) => {
    const values = list(0);
    if (values.length === 0) fail("its list is empty");
    const isNew = attribute("new_axis", 0) !== 0;
    const rank = values[0]!.shape.length + (isNew ? 1 : 0);
    const given = attribute("axis", 0);
    const axis = given < 0 ? given + rank : given;
    return [concat(isNew ? values.map((v) => unsqueeze(v, [axis])) : values, axis)];
  },
  Optional: async ({ operand }) => [[operand(0)].filter((v) => v !== undefined)],
  OptionalGetElement: async ({ list, fail }) => [list(0)[0] ?? fail("nothing is there to get")],
  OptionalHasElement: async ({ into, list }) => [into.graph.constant(tensor("bool", [], [list(0).length]) as Tensor)],
};

/**
 * What a node makes whose operands or results are lists; undefined for all other nodes.
 *
 * @throws UnknownShapeError where a place in a list is known at run time only.
 */
export async function followLists(
  into: Importer,
  node: OnnxNode,
  scope: Scope,
): Promise<readonly (Value | readonly Value[])[] | undefined> {
  if (node.domain !== "" || !Object.hasOwn(follow, node.op)) return undefined;
  const fail = (message: string): never => {
    throw new ModelError(`${nodeTitle(node)}: ${message}; export the model again.`);
  };
  const operand = (i: number) => (node.inputs[i] ? scope.find(node.inputs[i]) : undefined);
  return await follow[node.op]!({
    into,
    operand,
    // a tensor where one may be missing stands for itself
    list: (i) => (node.inputs[i] ? (scope.findList(node.inputs[i]) ?? [operand(i)!]) : []),
    numbers: async (i, what) => {
      const v = operand(i);
      if (!v) return undefined;
      const t = await into.constants.tensorOf(v);
      if (!t) throw new UnknownShapeError(`${nodeTitle(node)}: ${what} is known at run time only.`);
      return { shape: t.shape, values: toNumbers(t) };
    },
    attribute: (name, otherwise) => Number(node.attributes[name]?.value ?? otherwise),
    fail,
  });
}

/** The place in a list that an operand names, from its end where negative. */
async function place({ numbers, fail }: ListNode, i: number, last: number, otherwise?: number): Promise<number> {
  const given = (await numbers(i, "the place in its list"))?.values[0] ?? otherwise ?? 0;
  const at = given < 0 ? given + (otherwise === undefined || i === 1 ? last + 1 : last) : given;
  return at >= 0 && at <= last ? at : fail(`its list has no place ${given}`);
}

/** Parts of one size, the last one smaller; of given sizes; or single entries, whose axis may go. */
async function splitToList({ operand, numbers, attribute, fail }: ListNode): Promise<readonly [readonly Value[]]> {
  const x = operand(0)!;
  const given = attribute("axis", 0);
  const axis = given < 0 ? given + x.shape.length : given;
  const size = x.shape[axis] ?? fail(`its axis ${given} is none of [${x.shape.join(", ")}]`);
  const said = await numbers(1, "the size of its parts");
  const part = said?.values[0] ?? 1;
  if (!(part >= 1) && said?.shape.length === 0) fail(`parts of ${part} are no parts`);
  const sizes =
    said && said.shape.length > 0
      ? said.values
      : Array.from({ length: Math.ceil(size / part) }, (_, i) => Math.min(part, size - i * part));
  const parts = split(x, axis, sizes);
  return [said || attribute("keepdims", 1) !== 0 ? parts : parts.map((v) => squeeze(v, [axis]))];
}

import type { Tensor } from "../tensor/tensor.js";
import type { Graph, GraphError, Node, Value, ValueType } from "./graph.js";
import type { RangeRule } from "./range.js";
import type { WholeNumbersRule } from "./whole-numbers.js";

/**
 * What Faultline knows of an ONNX operator: its inputs, attributes, output types and gradient. One file in `operators/` defines one
 * operator with `defineOperator`; the fields are all required, so an operator without a shape rule or a gradient (or a stated reason for
 * having none) does not compile.
 */
export interface Operator {
  /** ONNX operator type, for example "Conv". */
  readonly name: string;
  readonly domain: string;
  /** Version of the operator set, where it is not the default one. */
  readonly version?: number;
  /** The first and the last opset in which the operator has this form; absent where it is the form of opset 18. */
  readonly opsets?: readonly [from: number, to: number];
  /** Names as in the ONNX specification; a trailing `?` marks an optional one, a leading `...` a variadic rest. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: AttributeSchema;
  /**
   * What integer outputs are, by name as in `outputs`. Left out: what the operator made of its operands, so numbers where an integer operand
   * stands for numbers, and of no interest to gradients where none does.
   */
  readonly integers?: Readonly<Record<string, IntegerMeaning>>;
  readonly infer: (context: InferContext) => readonly ValueType[];
  /**
   * Floating-point operations of a node, 2 per multiply-add; "none" where it only moves data. Default: one per element of its first output.
   */
  readonly flops?: "none" | ((context: FlopsContext) => number);
  /** What a node's outputs are, where types and constants of its operands make it needless; undefined where it stays. */
  readonly simplify?: (context: SimplifyContext) => readonly Value[] | undefined;
  readonly gradient: GradientRule | ZeroGradient | NotDifferentiable;
  /**
   * For operators, or modes of one, that opset 18 does not have: the outputs as built from operators that it has. A graph never holds a node
   * that is taken apart, so its gradient is that of its parts. Undefined where the node stays as it is.
   */
  readonly decompose?: (context: DecomposeContext) => readonly (Value | undefined)[] | undefined;
  /**
   * The outputs where operands that say sizes and places are computed when the model runs, but the outputs' shapes follow all the same; undefined where
   * they do not. What a graph is asked for when `infer` fails for want of constants.
   */
  readonly computed?: (context: ComputedContext) => readonly Value[] | undefined;
  /** What is known of the outputs' elements; without it they may be infinite or NaN. */
  readonly range?: RangeRule;
  /** What is known of whole numbers that shapes and places are computed with; without it each is a number of its own. */
  readonly wholeNumbers?: WholeNumbersRule;
  /** Whether it works element by element on operands that are broadcast to one shape. */
  readonly broadcasts?: true;
  /** Whether two equal nodes compute different values, because each draws numbers of its own. */
  readonly random?: true;
  /** Whether every element of its outputs hangs on all elements of its input, those of other samples of a batch too. */
  readonly mixesSamples?: true;
}

/** Integers stand for "numbers" (quantized ones, which carry the cotangent of the real number they stand for) or are "positions" of elements. */
export type IntegerMeaning = "numbers" | "positions";

export type AttributeSchema = Readonly<Record<string, AttributeSpec>>;
export type AttributeKind = "int" | "float" | "string" | "ints" | "floats" | "strings" | "tensor" | "graph";
export interface AttributeSpec {
  readonly kind: AttributeKind;
  /** Value where the attribute is left out; undefined where ONNX has no default. */
  readonly default?: unknown;
  readonly required?: true;
  /** The values that it may have, where they are few. */
  readonly choices?: readonly (string | number)[];
}
export type Attributes = Readonly<Record<string, unknown>>;

/** What a shape rule sees. */
export interface InferContext<I = readonly (Value | undefined)[], A = Attributes> {
  readonly inputs: I;
  readonly attributes: A;
  /** How many outputs the node has in its file (or the builder asked for). */
  readonly outputCount: number;
  readonly fail: Fail;
}

/**
 * Throws a `GraphError` that names the operator and the shapes of all inputs.
 *
 * @param about what is to blame; default "shapes".
 */
export type Fail = (message: string, about?: GraphError["subject"]) => never;

/** What the rule that takes an operator apart sees. */
export interface DecomposeContext<I = readonly (Value | undefined)[], A = Attributes> extends InferContext<I, A> {
  readonly graph: Graph;
  /** Of the node, for an operator that takes its place alone; "" where it has none. */
  readonly name: string;
  /** For each output whether anything reads it. What nothing reads may be left undefined. */
  readonly read: readonly boolean[];
}

/** What a rule sees where operands that should be constant are not. Attributes that the file leaves out are absent. */
export interface ComputedContext<I = readonly (Value | undefined)[]> {
  readonly inputs: I;
  readonly attributes: Attributes;
}

/** What a rule sees that counts operations. */
export interface FlopsContext<I = readonly (Value | undefined)[], A = Attributes> {
  readonly inputs: I;
  readonly outputs: readonly Value[];
  readonly attributes: A;
}

/** What a rule sees that makes nodes needless. */
export interface SimplifyContext<I = readonly (Value | undefined)[], A = Attributes> {
  readonly inputs: I;
  /** As the node yields them. */
  readonly outputs: readonly Value[];
  readonly attributes: A;
  /** The tensor of a constant; undefined for what is known at run time only. */
  readonly constantOf: (v: Value) => Tensor | undefined;
}

/** What a gradient rule sees: the node as it stands in the graph, and which of its inputs need a gradient. */
export interface GradientContext<I = readonly (Value | undefined)[], O = readonly (Value | undefined)[], A = Attributes> {
  readonly inputs: I;
  readonly outputs: O;
  readonly attributes: A;
  /** Per input; a rule may skip (return undefined for) what is not wanted. */
  readonly wanted: readonly boolean[];
  readonly options: GradientOptions;
  readonly fail: (message: string) => never;
}

/**
 * Takes the cotangent of each output (undefined = zero) to the cotangent of each input (undefined = zero). Cotangents are floating-point
 * numbers; where an operand is an integer that stands for a real number, the rule sees it (and all of its type) cast to the cotangents' type.
 */
export type GradientRule = (
  context: GradientContext,
  cotangents: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

/** The operator is piecewise constant: its derivative is zero wherever it exists. */
export interface ZeroGradient {
  readonly kind: "zero";
  readonly because: string;
}

/** No gradient is defined; a path through the operator is an error. */
export interface NotDifferentiable {
  readonly kind: "not differentiable";
  readonly because: string;
}

export interface GradientOptions {
  /**
   * Derivative of Round, and of the rounding in QuantizeLinear/DequantizeLinear pairs.
   * "zero" is the true derivative, "straight-through" passes the cotangent as if nothing had been rounded (Bengio et al. 2013).
   * Defaults: Round zero (as PyTorch), quantization straight-through inside the representable range, zero outside.
   */
  readonly rounding: "default" | "zero" | "straight-through";
}

export const zeroGradient = (because: string): ZeroGradient => ({ kind: "zero", because });
export const notDifferentiable = (because: string): NotDifferentiable => ({ kind: "not differentiable", because });

// ---- attributes ------------------------------------------------------------------------------------------------------------------

export interface Spec<T> extends AttributeSpec {
  readonly value?: T;
}

/** Attribute declarations: with a default the value is always there, without one it may be undefined, `required` ones must be given. */
export function int(fallback: number, choices?: readonly number[]): Spec<number>;
export function int(): Spec<number | undefined>;
export function int(fallback?: number, choices?: readonly number[]): AttributeSpec {
  return { ...spec("int", fallback), ...(choices && { choices }) };
}
/** A whole number that is 0 or 1. */
export const flag = (fallback: 0 | 1): Spec<number> => int(fallback, [0, 1]);
export function float(fallback: number): Spec<number>;
export function float(): Spec<number | undefined>;
export function float(fallback?: number): AttributeSpec {
  return spec("float", fallback);
}
export function string<const T extends string>(fallback: string, choices?: readonly T[]): Spec<T>;
export function string(): Spec<string | undefined>;
export function string(fallback?: string, choices?: readonly string[]): AttributeSpec {
  return { ...spec("string", fallback), ...(choices && { choices }) };
}
export function ints(fallback: readonly number[]): Spec<readonly number[]>;
export function ints(): Spec<readonly number[] | undefined>;
export function ints(fallback?: readonly number[]): AttributeSpec {
  return spec("ints", fallback);
}
export function floats(): Spec<readonly number[] | undefined> {
  return { kind: "floats" };
}
export function strings(): Spec<readonly string[] | undefined> {
  return { kind: "strings" };
}
export function tensorAttribute(): Spec<Tensor | undefined> {
  return { kind: "tensor" };
}
export function required<T>(s: Spec<T>): Spec<NonNullable<T>> {
  return { kind: s.kind, required: true, ...(s.choices && { choices: s.choices }) };
}
function spec(kind: AttributeKind, fallback: unknown): AttributeSpec {
  return fallback === undefined ? { kind } : { kind, default: fallback };
}

type AttributeValues<S> = { readonly [K in keyof S]: S[K] extends Spec<infer T> ? T : never };

// ---- typed definition ------------------------------------------------------------------------------------------------------------

type Slot<Name, Present> = Name extends `${string}?` ? Present | undefined : Present;
type Slots<Names extends readonly string[], Present> = Names extends readonly [`...${string}`]
  ? readonly Present[]
  : { readonly [K in keyof Names]: Slot<Names[K], Present> };
/** The single output of an operator always has a cotangent when its rule is called; one of several may have none. */
type Cotangents<Names extends readonly string[]> = Names extends readonly [`...${string}`]
  ? readonly (Value | undefined)[]
  : Names extends readonly [string]
    ? readonly [Value]
    : { readonly [K in keyof Names]: Value | undefined };

interface Definition<I extends readonly string[], O extends readonly string[], S extends AttributeSchema> {
  readonly name: string;
  readonly domain?: string;
  readonly opsets?: readonly [from: number, to: number];
  readonly inputs: I;
  /** Default `["Y"]`. */
  readonly outputs?: O;
  readonly attributes?: S;
  readonly integers?: Readonly<Partial<Record<O[number], IntegerMeaning>>>;
  readonly random?: true;
  readonly mixesSamples?: true;
  readonly broadcasts?: true;
  readonly range?: RangeRule;
  readonly wholeNumbers?: WholeNumbersRule;
  readonly infer: (context: InferContext<Slots<I, Value>, AttributeValues<S>>) => readonly ValueType[];
  readonly flops?: "none" | ((context: FlopsContext<Slots<I, Value>, AttributeValues<S>>) => number);
  readonly computed?: (context: ComputedContext<Slots<I, Value>>) => readonly Value[] | undefined;
  readonly simplify?: (context: SimplifyContext<Slots<I, Value>, AttributeValues<S>>) => readonly Value[] | undefined;
  readonly gradient:
    | ((
        context: GradientContext<Slots<I, Value>, Slots<O, Value>, AttributeValues<S>>,
        cotangents: Cotangents<O>,
      ) => readonly (Value | undefined)[])
    | ZeroGradient
    | NotDifferentiable;
  readonly decompose?: (
    context: DecomposeContext<Slots<I, Value>, AttributeValues<S>>,
  ) => readonly (Value | undefined)[] | undefined;
}

/**
 * Defines an operator. Types of `inputs`, `attributes` and cotangents inside the rules follow from the declared names and attributes.
 *
 * @example
 * export const Neg = defineOperator({
 *   name: "Neg",
 *   inputs: ["X"],
 *   infer: ({ inputs: [x] }) => [x],
 *   // d(-x) = -dx
 *   gradient: (_, [g]) => [neg(g)],
 * });
 */
export function defineOperator<
  const I extends readonly string[],
  const O extends readonly string[] = readonly ["Y"],
  const S extends AttributeSchema = Record<never, never>,
>(definition: Definition<I, O, S>): TypedOperator<I, O, S> {
  return { domain: "", outputs: ["Y"], attributes: {}, ...definition } as unknown as TypedOperator<I, O, S>;
}

declare const declared: unique symbol;

/** A definition that remembers its names and attributes in its type (there is no such field), for `nodeAs`. */
export interface TypedOperator<I extends readonly string[], O extends readonly string[], S extends AttributeSchema>
  extends Operator {
  readonly [declared]?: { readonly inputs: I; readonly outputs: O; readonly attributes: S };
}

/** A node of a known operator. */
export interface TypedNode<I extends readonly string[], O extends readonly string[], S extends AttributeSchema> extends Node {
  readonly inputs: Slots<I, Value>;
  readonly outputs: Slots<O, Value>;
  readonly attributes: AttributeValues<S>;
}

/**
 * The node with typed inputs, outputs and attributes, if it is one of the given operator.
 *
 * @param of a node, or a value for the node that computes it.
 * @example
 * const [x, weights] = nodeAs(Conv, v)?.inputs ?? [];
 */
export function nodeAs<I extends readonly string[], O extends readonly string[], S extends AttributeSchema>(
  operator: TypedOperator<I, O, S>,
  of: Node | Value | undefined,
): TypedNode<I, O, S> | undefined {
  const node = of && "operator" in of ? of : of?.node;
  return node?.operator === operator ? (node as TypedNode<I, O, S>) : undefined;
}

/** A definition without shape rule and gradient: those are what its parts have. */
type Composite<I extends readonly string[], O extends readonly string[], S extends AttributeSchema> = Omit<
  Definition<I, O, S>,
  "infer" | "gradient" | "decompose"
> & {
  readonly decompose: (context: DecomposeContext<Slots<I, Value>, AttributeValues<S>>) => readonly (Value | undefined)[];
};

const apart: { infer: Operator["infer"]; gradient: NotDifferentiable } = {
  infer: ({ fail }) => fail("it is taken apart and has no node of its own"),
  gradient: notDifferentiable("it is taken apart and has no node of its own"),
};

/** Whether opset 18 does not have the operator at all. */
export const isComposite = (operator: Operator): boolean => operator.infer === apart.infer;

/**
 * Defines an operator that opset 18 does not have, by the operators that it stands for.
 *
 * @example
 * export const Swish = defineComposite({
 *   name: "Swish",
 *   inputs: ["X"],
 *   attributes: { alpha: float(1) },
 *   decompose: ({ inputs: [x], attributes: { alpha } }) => [mul(x, sigmoid(mul(x, alpha)))],
 * });
 */
export function defineComposite<
  const I extends readonly string[],
  const O extends readonly string[] = readonly ["Y"],
  const S extends AttributeSchema = Record<never, never>,
>(definition: Composite<I, O, S>): Operator {
  return defineOperator({ ...definition, ...apart } as unknown as Definition<I, O, S>);
}

/**
 * An operator that Faultline does not know: it can be run and carried along, but not differentiated.
 *
 * @param types of its outputs, of the ones that are left out as well.
 */
export function opaqueOperator({
  name,
  domain,
  version,
  attributes,
  types,
}: Pick<Operator, "name" | "domain" | "attributes" | "version"> & { readonly types: readonly ValueType[] }): Operator {
  return {
    name,
    domain,
    ...(version !== undefined && { version }),
    inputs: ["...inputs"],
    outputs: ["...outputs"],
    attributes,
    infer: () => types,
    gradient: notDifferentiable("Faultline has no gradient rule for it"),
  };
}

/** The name under which a node appears in messages: operator and, where it has one, its own name. */
export function nodeLabel(node: Pick<Node, "operator" | "name">): string {
  return node.name ? `${node.operator.name} "${node.name}"` : node.operator.name;
}

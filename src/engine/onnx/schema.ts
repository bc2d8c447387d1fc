/**
 * The messages of the ONNX file format, as far as Faultline reads and writes them, by field number. The numbers are those of the
 * public onnx.proto (IR version 10); documentation strings, training info and quantization annotations are skipped.
 */

/** `int` is a 64-bit integer read as a number, `bigint` one kept exact; `packed` kinds are read into one typed array. */
type Scalar =
  | "int"
  | "float"
  | "string"
  | "bytes"
  | "packedFloat"
  | "packedDouble"
  | "packedInt32"
  | "packedInt64"
  | "packedUint64";

export interface Field {
  readonly name: string;
  readonly type: Scalar | MessageName;
  readonly repeated: boolean;
}

const one = (name: string, type: Field["type"]): Field => ({ name, type, repeated: false });
const many = (name: string, type: Field["type"]): Field => ({ name, type, repeated: true });

export const messages: { readonly [M in MessageName]: Readonly<Record<number, Field>> } = {
  Model: {
    1: one("irVersion", "int"),
    2: one("producerName", "string"),
    3: one("producerVersion", "string"),
    7: one("graph", "Graph"),
    8: many("opsetImport", "OperatorSetId"),
    14: many("metadataProps", "StringPair"),
    25: many("functions", "Function"),
  },
  OperatorSetId: { 1: one("domain", "string"), 2: one("version", "int") },
  StringPair: { 1: one("key", "string"), 2: one("value", "string") },
  Function: {
    1: one("name", "string"),
    4: many("input", "string"),
    5: many("output", "string"),
    6: many("attribute", "string"),
    7: many("node", "Node"),
    9: many("opsetImport", "OperatorSetId"),
    10: one("domain", "string"),
    11: many("attributeProto", "Attribute"),
    13: one("overload", "string"),
  },
  Graph: {
    1: many("node", "Node"),
    2: one("name", "string"),
    5: many("initializer", "Tensor"),
    11: many("input", "ValueInfo"),
    12: many("output", "ValueInfo"),
    13: many("valueInfo", "ValueInfo"),
    15: many("sparseInitializer", "SparseTensor"),
  },
  Node: {
    1: many("input", "string"),
    2: many("output", "string"),
    3: one("name", "string"),
    4: one("opType", "string"),
    5: many("attribute", "Attribute"),
    7: one("domain", "string"),
    8: one("overload", "string"),
  },
  Attribute: {
    1: one("name", "string"),
    2: one("f", "float"),
    3: one("i", "int"),
    4: one("s", "bytes"),
    5: one("t", "Tensor"),
    6: one("g", "Graph"),
    7: many("floats", "float"),
    8: many("ints", "int"),
    9: many("strings", "bytes"),
    20: one("type", "int"),
    21: one("refAttrName", "string"),
    22: one("sparseTensor", "SparseTensor"),
  },
  ValueInfo: { 1: one("name", "string"), 2: one("type", "Type") },
  Type: { 1: one("tensorType", "TensorType") },
  TensorType: { 1: one("elemType", "int"), 2: one("shape", "Shape") },
  Shape: { 1: many("dim", "Dimension") },
  Dimension: { 1: one("dimValue", "int"), 2: one("dimParam", "string") },
  Tensor: {
    1: many("dims", "int"),
    2: one("dataType", "int"),
    4: one("floatData", "packedFloat"),
    5: one("int32Data", "packedInt32"),
    7: one("int64Data", "packedInt64"),
    8: one("name", "string"),
    9: one("rawData", "bytes"),
    10: one("doubleData", "packedDouble"),
    11: one("uint64Data", "packedUint64"),
    13: many("externalData", "StringPair"),
    14: one("dataLocation", "int"),
  },
  SparseTensor: { 1: one("values", "Tensor"), 2: one("indices", "Tensor"), 3: many("dims", "int") },
};

export interface Messages {
  Model: {
    irVersion?: number;
    producerName?: string;
    producerVersion?: string;
    graph?: Messages["Graph"];
    opsetImport?: Messages["OperatorSetId"][];
    metadataProps?: Messages["StringPair"][];
    functions?: Messages["Function"][];
  };
  OperatorSetId: { domain?: string; version?: number };
  StringPair: { key?: string; value?: string };
  Function: {
    name?: string;
    domain?: string;
    overload?: string;
    input?: string[];
    output?: string[];
    attribute?: string[];
    attributeProto?: Messages["Attribute"][];
    node?: Messages["Node"][];
    opsetImport?: Messages["OperatorSetId"][];
  };
  Graph: {
    name?: string;
    node?: Messages["Node"][];
    initializer?: Messages["Tensor"][];
    sparseInitializer?: Messages["SparseTensor"][];
    input?: Messages["ValueInfo"][];
    output?: Messages["ValueInfo"][];
    valueInfo?: Messages["ValueInfo"][];
  };
  Node: {
    name?: string;
    opType?: string;
    domain?: string;
    overload?: string;
    input?: string[];
    output?: string[];
    attribute?: Messages["Attribute"][];
  };
  Attribute: {
    name?: string;
    type?: number;
    refAttrName?: string;
    f?: number;
    i?: number;
    s?: Uint8Array;
    t?: Messages["Tensor"];
    g?: Messages["Graph"];
    floats?: number[];
    ints?: number[];
    strings?: Uint8Array[];
    sparseTensor?: Messages["SparseTensor"];
  };
  ValueInfo: { name?: string; type?: Messages["Type"] };
  Type: { tensorType?: Messages["TensorType"] };
  TensorType: { elemType?: number; shape?: Messages["Shape"] };
  Shape: { dim?: Messages["Dimension"][] };
  Dimension: { dimValue?: number; dimParam?: string };
  Tensor: {
    name?: string;
    dims?: number[];
    dataType?: number;
    floatData?: Float32Array;
    int32Data?: Int32Array;
    int64Data?: BigInt64Array;
    doubleData?: Float64Array;
    uint64Data?: BigUint64Array;
    rawData?: Uint8Array;
    externalData?: Messages["StringPair"][];
    dataLocation?: number;
  };
  SparseTensor: { values?: Messages["Tensor"]; indices?: Messages["Tensor"]; dims?: number[] };
}

export type MessageName = keyof Messages;

/** AttributeProto.AttributeType. */
export const attributeTypes = [
  "undefined",
  "float",
  "int",
  "string",
  "tensor",
  "graph",
  "floats",
  "ints",
  "strings",
  "tensors",
  "graphs",
  "sparse tensor",
  "sparse tensors",
  "type",
  "types",
] as const;

/** TensorProto.DataType, by number. */
export const elementTypes = [
  "undefined",
  "float32",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "int64",
  "string",
  "bool",
  "float16",
  "float64",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bfloat16",
  "float8e4m3fn",
  "float8e4m3fnuz",
  "float8e5m2",
  "float8e5m2fnuz",
  "uint4",
  "int4",
  "float4e2m1",
] as const;

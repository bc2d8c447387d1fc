/**
 * A tensor is a flat typed array and a shape, row-major. It holds no behavior: whatever is computed is computed by ONNX Runtime.
 *
 * `float16` keeps IEEE binary16 bit patterns in a Uint16Array, `bool` keeps 0 and 1 in a Uint8Array, 64-bit integers are BigInts.
 */
export interface Tensor<T extends DataType = DataType> {
  readonly type: T;
  readonly shape: Shape;
  readonly data: DataOf<T>;
  /** What 4-bit integers of a file were before they were widened to 8 bits, for want of a typed array. */
  readonly narrow?: "int4" | "uint4";
}

export type Shape = readonly number[];

/** The typed array that holds the elements of each type. */
export interface ArrayOf {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  bool: Uint8Array;
}

export type DataType = keyof ArrayOf;
export type DataOf<T extends DataType> = ArrayOf[T];
export type FloatType = "float32" | "float64" | "float16";

interface ArrayConstructor<A> {
  new (length: number): A;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
  readonly BYTES_PER_ELEMENT: number;
}

const constructors: { [T in DataType]: ArrayConstructor<ArrayOf[T]> } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

export const dataTypes = Object.keys(constructors) as DataType[];

export function isFloat(type: DataType): type is FloatType {
  return type === "float32" || type === "float64" || type === "float16";
}

/**
 * The type in which gradients of values of the given type are computed: float32 for float16, whose smallest number, 6e-8, is larger than
 * many a gradient, and whose whole numbers end at 2048; else the type itself.
 */
export function gradientType(type: DataType): DataType {
  return type === "float16" ? "float32" : type;
}

export function bytesPerElement(type: DataType): number {
  return constructors[type].BYTES_PER_ELEMENT;
}

/** The number of elements of a shape; 1 for a scalar `[]`. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, d) => product * d, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a === b || (a.length === b.length && a.every((d, i) => d === b[i]));
}

/** Writes a type and shape as users read them: `float32[1, 3, 224, 224]`. */
export function describe(t: { type: DataType; shape: Shape }): string {
  return `${t.type}[${t.shape.join(", ")}]`;
}

/** An all-zero array of `length` elements of the given type. */
export function allocate<T extends DataType>(type: T, length: number): DataOf<T> {
  return new constructors[type](length);
}

/** The bytes as `length` elements of the given type, without a copy; they must be aligned as the type asks. */
export function viewOf<T extends DataType>(type: T, { buffer, byteOffset }: ArrayBufferView, length: number): DataOf<T> {
  return new constructors[type](buffer, byteOffset, length);
}

/** The elements in a new array with a buffer of its own, whatever kind of array they are in: Node's Buffers have a `slice` that copies nothing. */
export function copyOf<T extends DataType>({ type, shape, data }: Tensor<T>): Tensor<T> {
  const copy = allocate(type, data.length);
  (copy as Float32Array).set(data as Float32Array);
  return { type, shape: [...shape], data: copy };
}

/**
 * Makes a tensor and checks that the data fill the shape.
 *
 * @example tensor("float32", [2, 2], [1, 2, 3, 4])
 * @throws RangeError when the number of elements does not match the shape, or a dimension is negative or fractional.
 */
export function tensor<T extends DataType>(
  type: T,
  shape: Shape,
  values?: DataOf<T> | ArrayLike<number> | ArrayLike<bigint>,
): Tensor<T> {
  for (const d of shape) {
    if (!Number.isSafeInteger(d) || d < 0)
      throw new RangeError(`A tensor's dimensions are whole numbers of at least 0, not [${shape.join(", ")}].`);
  }
  const size = sizeOf(shape);
  if (values === undefined) return { type, shape: [...shape], data: allocate(type, size) };
  if (values.length !== size) {
    throw new RangeError(`${describe({ type, shape })} has ${size} elements, but ${values.length} values were given.`);
  }
  if (values instanceof constructors[type]) return { type, shape: [...shape], data: values as DataOf<T> };
  const data = allocate(type, size);
  const wide = type === "int64" || type === "uint64";
  for (let i = 0; i < size; i++) {
    const v = values[i] as number | bigint;
    data[i] = wide ? BigInt(v) : type === "float16" ? float32ToFloat16(Number(v)) : Number(v);
  }
  return { type, shape: [...shape], data };
}

/**
 * The elements as JavaScript numbers (64-bit integers lose precision beyond 2^53). This is the one way to read numbers out of a tensor whose
 * type is not known: `data` of float16 holds bit patterns.
 *
 * @example toNumbers(tensor("float16", [2], [0.5, -2])) // [0.5, -2], where data is [0x3800, 0xc000]
 */
export function toNumbers(t: Tensor): number[] {
  return Array.from(t.data as ArrayLike<number | bigint>, (_, i) => numberAt(t, i));
}

/** One element as a JavaScript number; NaN where the tensor has no such element. */
export function numberAt(t: Tensor, index: number): number {
  const element = t.data[index];
  return element !== undefined && t.type === "float16" ? float16ToFloat32(element as number) : Number(element);
}

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The value of an IEEE 754 binary16 bit pattern. */
export function float16ToFloat32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The nearest IEEE 754 binary16 bit pattern, ties to even; overflows become infinity. */
export function float32ToFloat16(value: number): number {
  f32[0] = value;
  const bits = u32[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent >= 143) return sign | 0x7c00 | (fraction ? 0x200 : 0);
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) {
    if (exponent < -10) return sign;
    const full = fraction | 0x800000;
    const shift = 14 - exponent;
    const half = full >>> shift;
    const rest = full & ((1 << shift) - 1);
    const middle = 1 << (shift - 1);
    return sign | (half + (rest > middle || (rest === middle && half & 1) ? 1 : 0));
  }
  const half = (exponent << 10) | (fraction >>> 13);
  const rest = fraction & 0x1fff;
  return sign | (half + (rest > 0x1000 || (rest === 0x1000 && half & 1) ? 1 : 0));
}

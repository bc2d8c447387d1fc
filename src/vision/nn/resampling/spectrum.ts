import { type Graph, GraphError, type Value } from "../../../engine/graph/graph.js";
import { add, matMul, slice, sub } from "../../../engine/operators/index.js";
import { type DataType, type Tensor, tensor } from "../../../engine/tensor/tensor.js";

/**
 * What Fourier transforms do to images here (cut a spectrum, widen it, weigh it) acts on each axis alone and is linear: along an axis of
 * length n it is a complex matrix with m rows, and of an image X the result is the real part of A_rows X A_columnsᵀ. As products with constant
 * matrices that is exact, differentiable on every provider, and at the sizes of feature maps faster than transforms (docs/resampling.md).
 */

/** A complex matrix, row-major. */
export interface ComplexMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly real: Float64Array;
  readonly imaginary: Float64Array;
}

/** Consecutive frequencies of a spectrum, negative ones before 0. */
export interface Band {
  readonly first: number;
  readonly count: number;
  /** Added to each frequency before the inverse transform: published code that puts a spectrum in the wrong place does that. Default 0. */
  readonly shift?: number;
  /** Weight of a frequency; default 1. */
  readonly weight?: (frequency: number) => number;
}

/** The `count` frequencies about 0: from -⌊count / 2⌋. An even count has one frequency, the lowest, without its counterpart. */
export const centeredBand = (count: number): Band => ({ first: -Math.floor(count / 2), count });

/**
 * The band that published code cuts from a shifted spectrum of n frequencies, positions int(n / 4) to int(3 n / 4), and shifts back by half
 * of its own length. Centered where n is a multiple of 4; else possibly beside the middle, and then what comes out is modulated.
 */
export function publishedBand(n: number): Band {
  const begin = Math.floor(n / 4);
  const count = Math.floor((3 * n) / 4) - begin;
  const first = begin - Math.floor(n / 2);
  return { first, count, shift: -Math.floor(count / 2) - first };
}

/**
 * From n samples by way of a band of their spectrum to m samples of the same interval:
 * `A[i, j] = 1/n Σ_f w(f) e^(2πi ((f + shift) i / m - f j / n))`, [m, n]. Amplitudes are kept.
 */
export function bandMatrix(n: number, m: number, { first, count, shift = 0, weight }: Band): ComplexMatrix {
  const [real, imaginary] = [new Float64Array(m * n), new Float64Array(m * n)];
  // Apart from the shift, entries depend on (i n - j m) mod n m alone.
  const known = new Map<number, readonly [number, number]>();
  const period = n * m;
  for (let i = 0; i < m; i++) {
    const turn = (2 * Math.PI * ((((shift * i) % m) + m) % m)) / m;
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    for (let j = 0; j < n; j++) {
      const step = (((i * n - j * m) % period) + period) % period;
      let sum = known.get(step);
      if (!sum) {
        sum = weight ? weightedSum(step, period, first, count, weight) : geometricSum(step, period, first, count);
        known.set(step, sum);
      }
      real[i * n + j] = (c * sum[0] - s * sum[1]) / n;
      imaginary[i * n + j] = (c * sum[1] + s * sum[0]) / n;
    }
  }
  return { rows: m, columns: n, real: withoutDust(real), imaginary: withoutDust(imaginary) };
}

/** Σ_f e^(2πi f step / period) over the band: e^(iθ (first + (count - 1) / 2)) sin(count θ / 2) / sin(θ / 2). */
function geometricSum(step: number, period: number, first: number, count: number): readonly [number, number] {
  if (step === 0) return [count, 0];
  // Angles are reduced as whole numbers, in units of π / period.
  const ratio = sineOf(count * step, period) / sineOf(step, period);
  const angle = (2 * first + count - 1) * step;
  return [ratio * sineOf(angle + period / 2, period), ratio * sineOf(angle, period)];
}

/** sin(π a / b) */
function sineOf(a: number, b: number): number {
  return Math.sin((Math.PI * (a % (2 * b))) / b);
}

function weightedSum(step: number, period: number, first: number, count: number, weight: (frequency: number) => number) {
  let [real, imaginary] = [0, 0];
  for (let f = first; f < first + count; f++) {
    const w = weight(f);
    real += w * sineOf(2 * f * step + period / 2, period);
    imaginary += w * sineOf(2 * f * step, period);
  }
  return [real, imaginary] as const;
}

/** Entries that only rounding has made other than 0. */
function withoutDust(values: Float64Array): Float64Array {
  return values.map((v) => (Math.abs(v) < 1e-13 ? 0 : v));
}

/** Rows `begin` to `begin + count` of a matrix. */
export function rowsOf({ columns, real, imaginary }: ComplexMatrix, begin: number, count: number): ComplexMatrix {
  const cut = (values: Float64Array) => values.slice(begin * columns, (begin + count) * columns);
  return { rows: count, columns, real: cut(real), imaginary: cut(imaginary) };
}

/**
 * The matrix for the axis as it is, given that for the axis with `before` elements put before it and others behind: zeros ("constant"), or
 * its mirror images without the edge ("reflect").
 */
export function unpadded(matrix: ComplexMatrix, before: number, n: number, mode: "constant" | "reflect"): ComplexMatrix {
  const source = (padded: number): number => {
    const j = padded - before;
    if (j >= 0 && j < n) return j;
    if (mode === "constant") return -1;
    return j < 0 ? -j : 2 * (n - 1) - j;
  };
  const fold = (values: Float64Array) => {
    const folded = new Float64Array(matrix.rows * n);
    for (let i = 0; i < matrix.rows; i++) {
      for (let padded = 0; padded < matrix.columns; padded++) {
        const j = source(padded);
        if (j >= 0) folded[i * n + j]! += values[i * matrix.columns + padded]!;
      }
    }
    return folded;
  };
  return { rows: matrix.rows, columns: n, real: fold(matrix.real), imaginary: fold(matrix.imaginary) };
}

/** One axis' matrix, and a name that tells it from others: equal names share one constant in a graph. */
export interface AxisTransform {
  readonly name: string;
  readonly matrix: () => ComplexMatrix;
}

/** The transform of `bandMatrix`; `what` names band and weight. */
export const bandTransform = (n: number, m: number, band: Band, what: string): AxisTransform => ({
  name: `${what} ${n} ${m}`,
  matrix: () => bandMatrix(n, m, band),
});

/** Re(A_rows X A_columnsᵀ) of each image of x, [..., H, W]. */
export function realPart(x: Value, rows: AxisTransform, columns: AxisTransform): Value {
  const [a, b] = [factorsOf(x, rows), factorsOf(x, columns)];
  const product = multiply(x, a.real, b.real);
  return a.imaginary && b.imaginary ? sub(product, multiply(x, a.imaginary, b.imaginary)) : product;
}

/** Im(A_rows X A_columnsᵀ) of each image of x; undefined where both matrices are real. */
export function imaginaryPart(x: Value, rows: AxisTransform, columns: AxisTransform): Value | undefined {
  const [a, b] = [factorsOf(x, rows), factorsOf(x, columns)];
  const parts = [
    ...(b.imaginary ? [multiply(x, a.real, b.imaginary)] : []),
    ...(a.imaginary ? [multiply(x, a.imaginary, b.real)] : []),
  ];
  return parts.length === 0 ? undefined : parts.reduce(add);
}

/** A real matrix as a product, from left to right: one factor, or two thin ones. */
type Factors = readonly Matrix[];

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
  readonly tensors: Map<string, Tensor>;
  readonly phases?: Phases | undefined;
}

/**
 * A low-pass to every s-th of n samples has the factor 1 / s at the sample that stays, and none at the others that stay: its kernel is 0 there. So
 * `A x = (x₀ + Σ R_p x_p) / s` with x_p every s-th sample from p on, and R_1 to R_(s-1), [m, m], do 1 / s of the work less.
 */
type Phases = readonly Matrix[];

interface ComplexFactors {
  readonly columns: number;
  readonly real: Factors;
  /** Absent where the matrix is real. */
  readonly imaginary: Factors | undefined;
}

const knownFactors = new WeakMap<Graph, Map<string, ComplexFactors>>();

function factorsOf({ graph }: Value, { name, matrix }: AxisTransform): ComplexFactors {
  const known = knownFactors.get(graph) ?? new Map<string, ComplexFactors>();
  knownFactors.set(graph, known);
  let factors = known.get(name);
  if (!factors) {
    const { rows, columns, real, imaginary } = matrix();
    factors = {
      columns,
      real: [{ ...matrixOf(rows, columns, real), phases: phasesOf(rows, columns, real) }],
      imaginary: imaginary.some((v) => v !== 0) ? factorized(rows, columns, imaginary) : undefined,
    };
    known.set(name, factors);
  }
  return factors;
}

const matrixOf = (rows: number, columns: number, values: Float64Array): Matrix => ({ rows, columns, values, tensors: new Map() });

function phasesOf(rows: number, columns: number, values: Float64Array): Phases | undefined {
  const stride = columns / rows;
  if (!Number.isInteger(stride) || stride < 2) return undefined;
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < rows; k++)
      if (Math.abs(values[i * columns + k * stride]! - (i === k ? 1 / stride : 0)) > 1e-12) return undefined;
  const phase = (p: number) => values.filter((_, at) => (at % columns) % stride === p).map((v) => stride * v);
  return Array.from({ length: stride - 1 }, (_, p) => matrixOf(rows, rows, phase(p + 1)));
}

/**
 * A matrix of rank 1 or 2 as the product of two thin ones (by elimination with full pivoting), any other as it is. The imaginary part of a
 * centered band stems from one frequency without counterpart, so its rank is at most 2.
 */
function factorized(rows: number, columns: number, values: Float64Array): Factors {
  const rest = Float64Array.from(values);
  const largest = (v: Float64Array): number => v.reduce((best, x, i) => (Math.abs(x) > Math.abs(v[best]!) ? i : best), 0);
  const scale = Math.abs(values[largest(values)]!);
  const [left, right]: [Float64Array[], Float64Array[]] = [[], []];
  for (let rank = 1; rank <= 2; rank++) {
    const pivot = largest(rest);
    const [p, q] = [Math.floor(pivot / columns), pivot % columns];
    const column = Float64Array.from({ length: rows }, (_, i) => rest[i * columns + q]! / rest[pivot]!);
    const row = rest.slice(p * columns, (p + 1) * columns);
    for (let i = 0; i < rest.length; i++) rest[i]! -= column[Math.floor(i / columns)]! * row[i % columns]!;
    left.push(column);
    right.push(row);
    if (Math.abs(rest[largest(rest)]!) > 1e-11 * scale) continue;
    const tall = Float64Array.from({ length: rows * rank }, (_, i) => left[i % rank]![Math.floor(i / rank)]!);
    const wide = Float64Array.from({ length: rank * columns }, (_, i) => right[Math.floor(i / columns)]![i % columns]!);
    return [matrixOf(rows, rank, tall), matrixOf(rank, columns, wide)];
  }
  return [matrixOf(rows, columns, values)];
}

/** Multiplies the last but one axis by the rows' matrix and the last by the columns'. */
function multiply(x: Value, rows: Factors, columns: Factors): Value {
  const [height, width] = [x.shape.at(-2), x.shape.at(-1)];
  if (height !== rows.at(-1)!.columns || width !== columns.at(-1)!.columns)
    throw new GraphError(
      `A transform of maps of ${rows.at(-1)!.columns}x${columns.at(-1)!.columns} was given one of shape [${x.shape.join(", ")}].`,
    );
  const { phases } = rows[0]!;
  if (phases) return timesColumns(timesPhases(x, phases), columns, 1 / (phases.length + 1));
  // Thin matrices to the left read the map once, in its order.
  if (rows.length > 1) return timesRows(timesColumns(timesRows(x, rows.slice(1)), columns), rows.slice(0, 1));
  return timesRows(timesColumns(x, columns), rows);
}

const timesRows = (x: Value, rows: Factors): Value => rows.reduceRight((v, m) => matMul(constantOf(v, m, "as it is"), v), x);

/** With every product's first matrix, innermost, scaled. */
const timesColumns = (x: Value, columns: Factors, scale = 1): Value =>
  columns.reduceRight((v, m, at) => matMul(v, constantOf(v, m, "transposed", at === columns.length - 1 ? scale : 1)), x);

/** s A x for every image. Whole rows are taken apart, which is cheap. */
function timesPhases(x: Value, phases: Phases): Value {
  const stride = phases.length + 1;
  const every = (first: number) => slice(x, [first], [x.shape.at(-2)!], { axes: [-2], steps: [stride] });
  return phases.reduce((sum, m, p) => add(sum, matMul(constantOf(x, m, "as it is"), every(p + 1))), every(0));
}

function constantOf(
  { graph, type }: Value,
  { rows, columns, values, tensors }: Matrix,
  orientation: "as it is" | "transposed",
  scale = 1,
) {
  const key = `${type} ${orientation} ${scale}`;
  const known = tensors.get(key) ?? (orientation === "as it is" ? plain() : turned());
  tensors.set(key, known);
  return graph.constant(known);

  function plain(): Tensor {
    return tensor(
      type as DataType,
      [rows, columns],
      values.map((v) => scale * v),
    );
  }
  function turned(): Tensor {
    const transposed = Float64Array.from(values, (_, at) => scale * values[(at % rows) * columns + Math.floor(at / rows)]!);
    return tensor(type as DataType, [columns, rows], transposed);
  }
}

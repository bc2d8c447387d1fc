import { embed } from "../../engine/graph/embed.js";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { cast, reduceMean, reduceSum, slice } from "../../engine/operators/index.js";
import type { Engine, Feeds, Program } from "../../engine/runtime/engine.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import { type Form, type Place, placeLabel, resamplingPlaces } from "../../vision/resampling/index.js";
import { aboveNyquist, energyIn, gridFrequencies, powerSpectrum, radialPower } from "./power.js";

/** What the spectrum says of one layer that changes the resolution, over all pictures. */
export interface PlaceSpectrum {
  /** `Conv "name"`, or `MaxPool -> "map"` by the map that it makes where the file names no nodes. */
  readonly node: string;
  readonly form: string;
  readonly direction: Form["direction"];
  readonly factor: readonly [number, number];
  /** [C, H, W] */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /**
   * Down: share of the energy of the map before that lies above the new Nyquist limit; up: share of the energy of the map after at the frequencies of its
   * grid. Over all channels together, once of all energy and once without the mean's, and for each channel (of all energy).
   */
  readonly share: number;
  readonly shareWithoutMean: number;
  readonly channels: readonly number[];
  /** Mean power by ring (`ringFrequencies`), without the mean, of the map before and after. */
  readonly radialBefore: readonly number[];
  readonly radialAfter: readonly number[];
}

/** Maps larger than this are left out: their matrices would be larger than the model. */
const largestSide = 2048;

/**
 * Measures where a model's maps alias, and where its enlargements leave patterns, on given pictures.
 *
 * @param graph specialized.
 * @param feeds one for each picture.
 * @example const places = await placeSpectra(engine, graph, feeds);
 */
export async function placeSpectra(engine: Engine, graph: Graph, feeds: readonly Feeds[]): Promise<PlaceSpectrum[]> {
  const places = resamplingPlaces(graph).filter(
    ({ before, after, factor }) =>
      factor.every(Number.isInteger) &&
      [before, after].every((v) => v.shape.slice(2).every((side) => side > 0 && side <= largestSide)),
  );
  if (places.length === 0) return [];
  const program = await engine.compile(placesGraph(graph, places));
  try {
    const sums = places.map(() => new Map<string, Float64Array>());
    for (const feed of feeds) {
      const out = await program.run(feed);
      for (const [name, t] of Object.entries(out)) {
        const [place, what] = name.split(".") as [string, string];
        accumulate(sums[Number(place.slice(1))]!, what, t);
      }
    }
    return places.map((place, i) => summary(place, sums[i]!, feeds.length));
  } finally {
    program.dispose();
  }
}

function accumulate(sums: Map<string, Float64Array>, what: string, { data }: Tensor): void {
  const sum = sums.get(what) ?? new Float64Array(data.length);
  for (let i = 0; i < sum.length; i++) sum[i]! += Number(data[i]);
  sums.set(what, sum);
}

/** For each place p: `p.part`, `p.whole` and `p.varying` (without the mean), energies by channel, `p.before` and `p.after`, mean radial power. */
function placesGraph(source: Graph, places: readonly Place[]): Graph {
  const graph = new Graph();
  const inputs = Object.fromEntries(source.inputs.map((v) => [v.name, graph.input(v.name, v.type, v.shape)]));
  const { values } = embed(graph, source, inputs);
  places.forEach(({ before, after, factor, form }, p) => {
    const spectrum = (v: Value) => powerSpectrum(cast(v, "float32"));
    const [entering, leaving] = [values.get(before.name)!, values.get(after.name)!];
    const [first, last] = [spectrum(entering), spectrum(form.direction === "down" ? leaving : wholePeriods(leaving, factor))];
    const judged = form.direction === "down" ? first : last;
    const size = judged.shape.slice(2) as [number, number];
    const bins = form.direction === "down" ? aboveNyquist(size, factor) : gridFrequencies(size, factor);
    const output = (name: string, v: Value) => graph.output(`p${p}.${name}`, reduceSum(v, [0], "drop"));
    output("part", energyIn(judged, bins));
    output(
      "whole",
      energyIn(judged, () => true),
    );
    output(
      "varying",
      energyIn(judged, (u, v) => u !== 0 || v !== 0),
    );
    output("before", reduceMean(radialPower(first), [1], "drop"));
    output("after", reduceMean(radialPower(last), [1], "drop"));
  });
  return graph;
}

/** Without the last rows and columns where an enlargement is no multiple of its factor: its grid has frequencies of its own on whole periods alone. */
function wholePeriods(v: Value, factor: readonly [number, number]): Value {
  const sides = v.shape.slice(2);
  const size = sides.map((side, axis) => (side < factor[axis]! ? side : side - (side % factor[axis]!)));
  return size.every((s, axis) => s === sides[axis]) ? v : slice(v, [0, 0], size, { axes: [2, 3] });
}

function summary(
  { form, factor, before, after, ...place }: Place,
  sums: ReadonlyMap<string, Float64Array>,
  count: number,
): PlaceSpectrum {
  const [part, whole] = [sums.get("part")!, sums.get("whole")!];
  const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  const ratio = (a: number, b: number) => (b > 0 ? a / b : 0);
  const mean = (what: string) => Array.from(sums.get(what)!, (v) => v / count);
  return {
    node: placeLabel({ ...place, after }),
    form: form.name,
    direction: form.direction,
    factor,
    before: before.shape.slice(1),
    after: after.shape.slice(1),
    share: ratio(total(part), total(whole)),
    shareWithoutMean: ratio(total(part), total(sums.get("varying")!)),
    channels: Array.from(part, (v, c) => ratio(v, whole[c]!)),
    radialBefore: mean("before"),
    radialAfter: mean("after"),
  };
}

/** Mean radial power of maps [N, C, H, W] over pictures and channels. */
export async function fingerprint(engine: Engine, maps: readonly Tensor<"float32">[]): Promise<number[]> {
  const programs = new Map<string, Program>();
  const sum = new Map<string, Float64Array>();
  try {
    for (const map of maps) {
      const key = map.shape.join();
      if (!programs.has(key)) {
        const graph = new Graph();
        const x = graph.input("x", "float32", map.shape);
        graph.output("radial", reduceMean(radialPower(powerSpectrum(x)), [0, 1], "drop"));
        programs.set(key, await engine.compile(graph));
      }
      accumulate(sum, "radial", (await programs.get(key)!.run({ x: map })).radial!);
    }
    return Array.from(sum.get("radial") ?? [], (v) => v / maps.length);
  } finally {
    for (const program of programs.values()) program.dispose();
  }
}

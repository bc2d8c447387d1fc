import { Random } from "../../../engine/tensor/random.js";
import { tensor } from "../../../engine/tensor/tensor.js";
import { type Dataset, datasetOf, type Sample } from "../dataset.js";
import { DataError } from "../error.js";

/** Classes of street scenes, by index. */
export const streetClasses = ["sky", "building", "vegetation", "road", "sidewalk", "car", "person", "pole"] as const;
type StreetClass = (typeof streetClasses)[number];

export interface StreetOptions {
  /** Pixels, at least 16 each. */
  readonly height: number;
  readonly width: number;
  /** Number of scenes. */
  readonly length: number;
  readonly seed: number | string;
}

/**
 * Street scenes as a driver sees them, for segmentation: a road that runs to a vanishing point near the middle, sidewalks, rows of buildings,
 * parked and driving cars, people, trees, sign posts, all in true perspective, so that much of what is small lies about the horizon and on the
 * sidewalks to both sides. Each pixel is the mean of 3 x 3 rays; its label is that of its center.
 *
 * @example const { inputs, target } = await streetDataset({ height: 64, width: 128, length: 100, seed: 1 }).sample(0)
 * @throws DataError when an option is out of range.
 */
export function streetDataset({ height, width, length, seed }: StreetOptions): Dataset {
  if (![height, width].every((n) => Number.isInteger(n) && n >= 16))
    throw new DataError(`Street scenes are at least 16x16 whole pixels, not ${height}x${width}.`);
  if (!Number.isInteger(length) || length < 1)
    throw new DataError(`The number of street scenes is a whole number of at least 1, not ${length}.`);
  return datasetOf(
    { name: "synthetic streets", task: "segmentation", ignoreLabel: 255, classNames: streetClasses },
    Array.from({ length }, (_, i) => i),
    `${length} synthetic street scenes, ${width}x${height} pixels, seed ${seed}.`,
    async (index) => photograph(composeStreet(new Random(seed, `street/${index}`)), `street/${index}`, height, width),
  );
}

/** Red, green, blue as stored, in [0, 1]. */
type Rgb = readonly [number, number, number];

interface Hit {
  readonly kind: StreetClass;
  readonly color: Rgb;
}

/** An upright flat thing that faces the camera. Meters: x to the right of the middle, up from the ground, away from the camera. */
interface Billboard {
  readonly x: number;
  readonly distance: number;
  readonly halfWidth: number;
  readonly height: number;
  /** What is at a place of it: u from -1 to 1 across, v from 0 at the ground to 1; undefined where one sees past it. */
  readonly at: (u: number, v: number) => Hit | undefined;
}

/** A stretch of a row of houses. */
interface House {
  readonly end: number;
  readonly height: number;
  readonly color: Rgb;
}

interface Street {
  readonly horizon: number;
  readonly vanishing: number;
  readonly roadHalf: number;
  readonly sidewalk: number;
  readonly light: number;
  readonly sky: readonly [Rgb, Rgb];
  readonly asphalt: Rgb;
  readonly paving: Rgb;
  readonly houses: readonly [left: readonly House[], right: readonly House[]];
  /** From near to far. */
  readonly things: readonly Billboard[];
  readonly grain: Random;
}

const eyeHeight = 1.4;
/** Focal length in half widths of the image: a field of view of 77°. */
const focal = 1.25;

const jittered = (random: Random, [r, g, b]: Rgb, by = 0.12): Rgb => {
  const shift = () => random.uniform(-by, by);
  return [r + shift(), g + shift(), b + shift()];
};
const gray = (v: number): Rgb => [v, v, v];
const pick = <T>(random: Random, values: readonly T[]): T => values[random.integer(values.length)]!;

function composeStreet(random: Random): Street {
  const roadHalf = random.uniform(3.4, 5.2);
  const sidewalk = random.uniform(2, 3.6);
  const side = () => (random.uniform() < 0.5 ? -1 : 1);
  // Most of what there is stands far away: distances are uniform in their logarithm.
  const distance = (near: number, far: number) => near * (far / near) ** random.uniform();
  const things = [
    ...several(random, 2, 6, () => car(random, side() * random.uniform(0.35, 0.85) * roadHalf, distance(7, 70))),
    ...several(random, 2, 8, () => person(random, side() * (roadHalf + random.uniform(0.15, 0.9) * sidewalk), distance(6, 40))),
    ...several(random, 0, 2, () => person(random, random.uniform(-1, 1) * roadHalf, distance(9, 35))),
    ...several(random, 2, 6, () => pole(random, side() * (roadHalf + 0.3), distance(5, 45))),
    ...several(random, 0, 5, () => tree(random, side() * (roadHalf + 0.75 * sidewalk), distance(7, 45))),
  ].sort((a, b) => a.distance - b.distance);
  return {
    horizon: random.uniform(0.4, 0.52),
    vanishing: random.uniform(-0.12, 0.12),
    roadHalf,
    sidewalk,
    light: random.uniform(0.75, 1.1),
    sky: pick(random, [
      [gray(0.86), gray(0.7)],
      [
        [0.85, 0.9, 0.95],
        [0.45, 0.62, 0.85],
      ],
      [
        [0.93, 0.82, 0.7],
        [0.6, 0.62, 0.75],
      ],
    ] as const),
    asphalt: jittered(random, gray(0.33), 0.04),
    paving: jittered(random, [0.55, 0.52, 0.5], 0.06),
    houses: [row(random), row(random)],
    things,
    grain: random,
  };
}

const several = <T>(random: Random, least: number, most: number, make: () => T): T[] =>
  Array.from({ length: least + random.integer(most - least + 1) }, make);

function row(random: Random): House[] {
  const houses: House[] = [];
  for (let end = random.uniform(2, 10); end < 400; ) {
    const height = random.uniform() < 0.15 ? 0 : random.uniform(4, 16);
    const wall: readonly Rgb[] = [
      [0.6, 0.45, 0.38],
      [0.7, 0.66, 0.58],
      [0.5, 0.5, 0.53],
      [0.75, 0.6, 0.45],
      [0.42, 0.36, 0.34],
    ];
    houses.push({ end, height, color: jittered(random, pick(random, wall), 0.06) });
    end += random.uniform(6, 25);
  }
  return [...houses, { end: Number.POSITIVE_INFINITY, height: 8, color: gray(0.5) }];
}

function car(random: Random, x: number, distance: number): Billboard {
  const paint: readonly Rgb[] = [gray(0.9), gray(0.12), gray(0.5), [0.65, 0.12, 0.12], [0.15, 0.25, 0.55], [0.3, 0.4, 0.3]];
  const body = { kind: "car", color: jittered(random, pick(random, paint), 0.05) } as const;
  const glass = { kind: "car", color: [0.2, 0.25, 0.3] } as const;
  const tire = { kind: "car", color: gray(0.06) } as const;
  const at: Billboard["at"] = (u, v) => {
    if (v < 0.22) return Math.abs(u) > 0.55 && Math.abs(u) < 0.95 ? tire : undefined;
    if (v < 0.6) return body;
    const roof = 0.95 - 0.45 * (v - 0.6);
    if (Math.abs(u) > roof) return undefined;
    return v < 0.92 && Math.abs(u) < roof - 0.1 ? glass : body;
  };
  return { x, distance, halfWidth: random.uniform(0.85, 1), height: random.uniform(1.4, 1.9), at };
}

function person(random: Random, x: number, distance: number): Billboard {
  const clothes = () => ({ kind: "person", color: jittered(random, [0.4, 0.35, 0.4], 0.35) }) as const;
  const [coat, trousers] = [clothes(), clothes()];
  const skin = { kind: "person", color: jittered(random, [0.7, 0.52, 0.42], 0.12) } as const;
  const at: Billboard["at"] = (u, v) => {
    if (v > 0.86) return (u / 0.5) ** 2 + ((v - 0.93) / 0.07) ** 2 < 1 ? skin : undefined;
    if (v > 0.45) return Math.abs(u) < 0.95 ? coat : undefined;
    return Math.abs(Math.abs(u) - 0.4) < 0.32 ? trousers : undefined;
  };
  return { x, distance, halfWidth: random.uniform(0.24, 0.34), height: random.uniform(1.45, 1.9), at };
}

function pole(random: Random, x: number, distance: number): Billboard {
  const post = { kind: "pole", color: jittered(random, gray(0.55), 0.06) } as const;
  const signs: readonly Rgb[] = [
    [0.75, 0.1, 0.1],
    [0.1, 0.25, 0.7],
    [0.85, 0.75, 0.1],
  ];
  const sign = { kind: "pole", color: pick(random, signs) } as const;
  const height = random.uniform(2.4, 5);
  const at: Billboard["at"] = (u, v) => {
    const up = (v - 1) * height + 0.35;
    if (u ** 2 + (up / 0.35) ** 2 < 1) return sign;
    return Math.abs(u) < 0.22 ? post : undefined;
  };
  return { x, distance, halfWidth: 0.35, height, at };
}

function tree(random: Random, x: number, distance: number): Billboard {
  const leaves = [0, 1].map(() => ({ kind: "vegetation", color: jittered(random, [0.22, 0.38, 0.16], 0.08) }) as const);
  const trunk = { kind: "vegetation", color: [0.3, 0.22, 0.15] } as const;
  const crown = random.uniform(0.35, 0.5);
  const at: Billboard["at"] = (u, v) => {
    if (v < crown) return Math.abs(u) < 0.1 ? trunk : undefined;
    const rise = (v - (1 + crown) / 2) / ((1 - crown) / 2);
    if (u ** 2 + rise ** 2 > 1) return undefined;
    return Math.sin(9 * u) * Math.cos(7 * rise) > 0 ? leaves[0] : leaves[1];
  };
  return { x, distance, halfWidth: random.uniform(1, 1.8), height: random.uniform(4, 7), at };
}

/** What a ray meets first. @param right, down in half widths of the image from the vanishing point. */
function meet(street: Street, right: number, down: number): Hit {
  const { roadHalf, sidewalk, houses, sky, asphalt, paving, things } = street;
  const ground = down > 0 ? (focal * eyeHeight) / down : Number.POSITIVE_INFINITY;
  const lateral = roadHalf + sidewalk;
  const wall = right === 0 ? Number.POSITIVE_INFINITY : (focal * lateral) / Math.abs(right);
  const nearest = Math.min(ground, wall);
  for (const thing of things) {
    if (thing.distance > nearest) break;
    const u = ((right * thing.distance) / focal - thing.x) / thing.halfWidth;
    const v = (eyeHeight - (down * thing.distance) / focal) / thing.height;
    const hit = Math.abs(u) <= 1 && v >= 0 && v <= 1 ? thing.at(u, v) : undefined;
    if (hit) return hit;
  }
  if (ground <= wall) {
    const x = (right * ground) / focal;
    if (Math.abs(x) > roadHalf) return { kind: "sidewalk", color: paving };
    const marked = Math.abs(x) < 0.09 && ground % 6 < 3;
    return { kind: "road", color: marked ? gray(0.8) : asphalt };
  }
  const house = houses[right < 0 ? 0 : 1].find(({ end }) => wall < end)!;
  const up = eyeHeight - (down * wall) / focal;
  if (Number.isFinite(wall) && up < house.height) {
    const window = up % 3 > 1.2 && up % 3 < 2.5 && wall % 2.6 > 1.3 && up < house.height - 0.6;
    return { kind: "building", color: window ? [0.28, 0.32, 0.38] : house.color };
  }
  if (Number.isFinite(wall) && house.height === 0 && up < 3) return { kind: "vegetation", color: [0.25, 0.4, 0.2] };
  const share = Math.min(1, Math.max(0, -down));
  const [low, high] = sky;
  return { kind: "sky", color: [0, 1, 2].map((c) => low[c]! + (high[c]! - low[c]!) * share) as unknown as Rgb };
}

const raysPerSide = 3;

function photograph(street: Street, id: string, height: number, width: number): Sample {
  const image = tensor("float32", [3, height, width]);
  const labels = new Int32Array(height * width);
  const plane = height * width;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      for (let ray = 0; ray < raysPerSide ** 2; ray++) {
        const px = x + ((ray % raysPerSide) + 0.5) / raysPerSide;
        const py = y + (Math.floor(ray / raysPerSide) + 0.5) / raysPerSide;
        const hit = meet(street, (2 * px) / width - 1 - street.vanishing, (2 * (py - street.horizon * height)) / width);
        for (let c = 0; c < 3; c++) sum[c]! += hit.color[c]!;
        if (ray === (raysPerSide ** 2 - 1) / 2) labels[y * width + x] = streetClasses.indexOf(hit.kind);
      }
      for (let c = 0; c < 3; c++) {
        const value = (street.light * sum[c]!) / raysPerSide ** 2 + street.grain.normal(0, 0.012);
        image.data[c * plane + y * width + x] = Math.min(1, Math.max(0, value));
      }
    }
  return { id, inputs: { image }, target: tensor("int32", [height, width], labels) };
}

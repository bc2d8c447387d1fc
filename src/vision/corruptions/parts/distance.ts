/** Steps of the chamfer distance over 5x5 (Borgefors 1986): along an axis, along a diagonal, and a knight's move, with the lengths that OpenCV takes. */
const steps = [
  ...([-1, 1] as const).map((dx) => ({ dy: 0, dx, length: 1 })),
  ...[-1, 1].flatMap((dy) => [{ dy, dx: 0, length: 1 }, ...[-1, 1].map((dx) => ({ dy, dx, length: 1.4 }))]),
  ...[-1, 1].flatMap((a) =>
    [-2, 2].flatMap((b) => [
      { dy: a, dx: b, length: 2.1969 },
      { dy: b, dx: a, length: 2.1969 },
    ]),
  ),
];
const before = steps.filter(({ dy, dx }) => dy < 0 || (dy === 0 && dx < 0));
const after = steps.filter(({ dy, dx }) => dy > 0 || (dy === 0 && dx > 0));

/** For each pixel the length of the shortest way to an edge (1 in `edges`); infinite where there is none. */
export function distanceToEdges(edges: Uint8Array, height: number, width: number): Float32Array {
  const distance = Float32Array.from(edges, (v) => (v === 1 ? 0 : Number.POSITIVE_INFINITY));
  const relax = (i: number, moves: typeof steps) => {
    const [y, x] = [Math.floor(i / width), i % width];
    for (const { dy, dx, length } of moves) {
      const [v, u] = [y + dy, x + dx];
      if (v < 0 || u < 0 || v >= height || u >= width) continue;
      distance[i] = Math.min(distance[i]!, distance[v * width + u]! + length);
    }
  };
  for (let i = 0; i < distance.length; i++) relax(i, before);
  for (let i = distance.length - 1; i >= 0; i--) relax(i, after);
  return distance;
}

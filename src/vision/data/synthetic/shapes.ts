/**
 * Shapes as signed distances: negative inside, the distance to the outline in units of the shape's radius. The distance to a polygon is
 * the least distance to its edges, its sign the winding of the point (I. Quilez, "2D distance functions").
 */
export const shapeKinds = ["disc", "square", "triangle", "hexagon", "star", "cross", "ring", "heart"] as const;
export type ShapeKind = (typeof shapeKinds)[number];

export type SignedDistance = (x: number, y: number) => number;

/** The distance function of a shape whose outline lies within about the unit circle. */
export function signedDistance(kind: ShapeKind): SignedDistance {
  return distances[kind];
}

type Point = readonly [x: number, y: number];

function regular(corners: number, radius: (corner: number) => number): Point[] {
  return Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners - Math.PI / 2;
    return [radius(i) * Math.cos(angle), radius(i) * Math.sin(angle)];
  });
}

/** A polygon with its corners rounded: the polygon's distance, moved outwards by the rounding. */
function rounded(outline: readonly Point[], rounding: number): SignedDistance {
  const edges = Float64Array.from(
    outline.flatMap(([x, y], i) => {
      const [nextX, nextY] = outline[(i + 1) % outline.length]!;
      return [x, y, nextX - x, nextY - y];
    }),
  );
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    let inside = false;
    for (let i = 0; i < edges.length; i += 4) {
      const ex = edges[i + 2]!;
      const ey = edges[i + 3]!;
      const dx = x - edges[i]!;
      const dy = y - edges[i + 1]!;
      const along = Math.min(1, Math.max(0, (dx * ex + dy * ey) / (ex * ex + ey * ey)));
      const rx = dx - along * ex;
      const ry = dy - along * ey;
      nearest = Math.min(nearest, rx * rx + ry * ry);
      // The edge crosses the horizontal through the point, to its right.
      if (dy >= 0 !== dy - ey >= 0 && dx * ey - dy * ex < 0 === ey > 0) inside = !inside;
    }
    return (inside ? -1 : 1) * Math.sqrt(nearest) - rounding;
  };
}

const crossOutline: Point[] = [
  [-0.28, -0.85],
  [0.28, -0.85],
  [0.28, -0.28],
  [0.85, -0.28],
  [0.85, 0.28],
  [0.28, 0.28],
  [0.28, 0.85],
  [-0.28, 0.85],
  [-0.28, 0.28],
  [-0.85, 0.28],
  [-0.85, -0.28],
  [-0.28, -0.28],
];

/** x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t, scaled into the unit circle. */
const heartOutline = Array.from({ length: 60 }, (_, i): Point => {
  const t = (2 * Math.PI * i) / 60;
  const y = 13 * Math.cos(t) - 5 * Math.cos(2 * t) - 2 * Math.cos(3 * t) - Math.cos(4 * t);
  return [(16 * Math.sin(t) ** 3) / 18, -(y + 2) / 18];
});

const distances: Record<ShapeKind, SignedDistance> = {
  disc: (x, y) => Math.sqrt(x * x + y * y) - 0.9,
  ring: (x, y) => Math.abs(Math.sqrt(x * x + y * y) - 0.66) - 0.27,
  square: rounded(
    regular(4, () => 0.9),
    0.08,
  ),
  triangle: rounded(
    regular(3, () => 0.88),
    0.1,
  ),
  hexagon: rounded(
    regular(6, () => 0.85),
    0.08,
  ),
  star: rounded(
    regular(10, (i) => (i % 2 === 0 ? 0.95 : 0.44)),
    0.05,
  ),
  cross: rounded(crossOutline, 0.06),
  heart: rounded(heartOutline, 0.02),
};

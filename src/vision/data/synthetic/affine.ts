/** The affine map (x, y) -> (a x + b y + c, d x + e y + f). */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** The map that applies `inner` first. */
export function compose([a, b, c, d, e, f]: Affine, inner: Affine): Affine {
  const [g, h, i, j, k, l] = inner;
  return [a * g + b * j, a * h + b * k, a * i + b * l + c, d * g + e * j, d * h + e * k, d * i + e * l + f];
}

export function invert([a, b, c, d, e, f]: Affine): Affine {
  const determinant = a * e - b * d;
  const [p, q, r, s] = [e / determinant, -b / determinant, -d / determinant, a / determinant];
  return [p, q, -(p * c + q * f), r, s, -(r * c + s * f)];
}

/** Scales, then turns by `angle` (radians, clockwise on screen as y points down), then shifts. */
export function similarity(x: number, y: number, angle: number, scale: number): Affine {
  const cos = scale * Math.cos(angle);
  const sin = scale * Math.sin(angle);
  return [cos, -sin, x, sin, cos, y];
}

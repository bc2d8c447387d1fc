// Orthonormal directions in a picture, for SimBA: one pixel, or one cosine wave.

/** A direction of length 1 in pictures [C, H, W]; `add` moves along it in place. */
export interface Direction {
  readonly picture: number;
  readonly add: (x: Float32Array, length: number) => void;
}

interface Size {
  readonly pictures: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Every value of every picture. */
export const pixelDirections = ({ pictures, channels, height, width }: Size): Directions => ({
  count: pictures * channels * height * width,
  at: (k) => {
    const n = channels * height * width;
    return {
      picture: Math.floor(k / n),
      add: (x, length) => {
        x[k % n]! += length;
      },
    };
  },
});

/**
 * The cosine waves of lowest frequency: cos(π (2i + 1) u / 2H) cos(π (2j + 1) v / 2W) in one channel, of length 1, for u < share · H and v < share · W
 * (Guo et al. 2019, section 3.3, after Guo et al. 2018).
 */
export function waveDirections({ pictures, channels, height, width }: Size, share: number): Directions {
  const [down, across] = [waves(height, share), waves(width, share)];
  const each = down.length * across.length;
  return {
    count: pictures * channels * each,
    at: (k) => {
      const wave = k % each;
      const [vertical, horizontal] = [down[Math.floor(wave / across.length)]!, across[wave % across.length]!];
      const channel = Math.floor(k / each) % channels;
      return {
        picture: Math.floor(k / (each * channels)),
        add: (x, length) => {
          let at = channel * height * width;
          for (const v of vertical) for (const h of horizontal) x[at++]! += length * v * h;
        },
      };
    },
  };
}

export interface Directions {
  readonly count: number;
  readonly at: (k: number) => Direction;
}

/** The lowest waves of one axis, each of length 1. */
function waves(length: number, share: number): Float64Array[] {
  const count = Math.max(1, Math.floor(share * length));
  return Array.from({ length: count }, (_, u) => {
    const scale = Math.sqrt((u === 0 ? 1 : 2) / length);
    return Float64Array.from({ length }, (_, i) => scale * Math.cos((Math.PI * (2 * i + 1) * u) / (2 * length)));
  });
}

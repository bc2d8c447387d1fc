import { clip, defineCorruption, drawnPlane } from "../corruption.js";
import { motionBlur } from "../parts/motion.js";
import { zoomed } from "../parts/zoom.js";

/** Flakes: noise that is enlarged, cut off below a threshold, and smeared downwards; laid twice, once turned by half, over a picture that is whitened. */
export const snow = defineCorruption({
  name: "snow",
  family: "weather",
  summary: "falling snow",
  strengths: [
    { mean: 0.1, deviation: 0.3, zoom: 3, threshold: 0.5, radius: 10, sigma: 4, keep: 0.8 },
    { mean: 0.2, deviation: 0.3, zoom: 2, threshold: 0.5, radius: 12, sigma: 4, keep: 0.7 },
    { mean: 0.55, deviation: 0.3, zoom: 4, threshold: 0.9, radius: 12, sigma: 8, keep: 0.7 },
    { mean: 0.55, deviation: 0.3, zoom: 4.5, threshold: 0.85, radius: 12, sigma: 8, keep: 0.65 },
    { mean: 0.55, deviation: 0.3, zoom: 2.5, threshold: 0.85, radius: 12, sigma: 12, keep: 0.55 },
  ],
  apply: (picture, { mean, deviation, zoom, threshold, radius, sigma, keep }, random) => {
    const { height, width, planes } = picture;
    const noise = zoomed(
      drawnPlane(height, width, () => random.normal(mean, deviation)),
      height,
      width,
      zoom,
    );
    const flakes = noise.map((v) => (v < threshold ? 0 : clip(v)));
    const angle = random.uniform(-135, -45);
    const layer = motionBlur(flakes, height, width, { radius, sigma, angle }).map((v) => Math.round(v * 255) / 255);
    const [r, g, b] = planes as [Float32Array, Float32Array, Float32Array];
    const last = layer.length - 1;
    return {
      ...picture,
      planes: planes.map((plane) =>
        plane.map((v, i) => {
          const gray = 0.299 * r[i]! + 0.587 * g[i]! + 0.114 * b[i]!;
          return keep * v + (1 - keep) * Math.max(v, gray * 1.5 + 0.5) + layer[i]! + layer[last - i]!;
        }),
      ),
    };
  },
});

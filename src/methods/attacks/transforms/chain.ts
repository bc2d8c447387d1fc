import { reshape, slice } from "../../../engine/operators/index.js";
import { type Shape, sizeOf } from "../../../engine/tensor/tensor.js";
import type { Transform } from "./transform.js";

/** From what leaves pixels in place to what moves them anywhere. */
const order: readonly Transform["moves"][] = ["nothing", "less than a pixel", "anything"];

/**
 * Several transforms, one after the other, as one: every draw of the first with every draw of the second, and so on. Undefined where there are none.
 *
 * @example chain([scaledCopies(5), inputDiversity(0.5)]) // five copies, each of them shrunk and padded at random
 */
export function chain(parts: readonly Transform[]): Transform | undefined {
  if (parts.length <= 1) return parts[0];
  const samples = parts.reduce((product, part) => product * part.samples, 1);
  /** Which draw of each part a draw of the whole is: the last part's changes fastest. */
  const drawsAt = (draw: number): number[] => {
    let rest = draw;
    return parts
      .map(({ samples }) => samples)
      .reduceRight<number[]>((found, n) => {
        found.unshift(rest % n);
        rest = Math.floor(rest / n);
        return found;
      }, []);
  };
  const sizes = (image: Shape) => parts.map((part) => sizeOf(part.noise(image).slice(1)));
  return {
    name: parts.map(({ name }) => name).join(", then "),
    samples,
    moves: order[Math.max(...parts.map(({ moves }) => order.indexOf(moves)))]!,
    noise: (image) => [image[0]!, sizes(image).reduce((a, b) => a + b, 0)],
    numbers: (draw) => {
      const at = drawsAt(draw);
      return Object.assign({}, ...parts.map((part, i) => part.numbers?.(at[i]!)));
    },
    apply: (image, noise, number) => {
      let from = 0;
      return parts.reduce((seen, part, i) => {
        const to = from + sizes(image.shape)[i]!;
        const own = reshape(slice(noise, [from], [to], { axes: [1] }), part.noise(image.shape));
        from = to;
        return part.apply(seen, own, number);
      }, image);
    },
  };
}

import type { Tensor } from "../../../engine/tensor/tensor.js";
import type { BoxForm } from "../../spec/model-spec.js";

/** What the four numbers of boxes [1, N, 4] are, by their values, and why. */
export function formOf(boxes: readonly Tensor[]): { readonly name: BoxForm; readonly why: string } {
  let [count, corners, most] = [0, 0, 0];
  for (const { data } of boxes) {
    const v = data as Float32Array;
    for (let i = 0; i < v.length; i += 4) {
      count++;
      if (v[i + 2]! >= v[i]! && v[i + 3]! >= v[i + 1]!) corners++;
      most = Math.max(most, Math.abs(v[i]!), Math.abs(v[i + 1]!));
    }
  }
  const kind = corners >= 0.99 * count ? "xyxy" : "cxcywh";
  const unit = most <= 1.5 ? "-normalized" : "";
  const words = kind === "xyxy" ? "the second corner is beyond the first" : "the last two numbers are smaller than the first";
  return { name: `${kind}${unit}`, why: `${words}, and values reach ${most.toPrecision(3)}` };
}

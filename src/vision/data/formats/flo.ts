/**
 * The Middlebury `.flo` format for optical flow (https://vision.middlebury.edu/flow/code/flow-code/README.txt): the float 202021.25
 * (the bytes "PIEH"), width and height as int32, then u and v of each pixel as float32, row by row; all little-endian.
 */
import { describe, type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { DataError } from "../error.js";
import type { Correspondence } from "./correspondence.js";

/** "Unknown flow" in the format's own words: a component above 10^9 in magnitude. */
const unknown = 1e9;

/**
 * Reads flow in pixels, float32 `[2, H, W]`, u then v.
 *
 * @example const { target } = parseFlo(await readFile("flow.flo"))
 * @throws DataError when the bytes are not a `.flo` file or are cut short.
 */
export function parseFlo(bytes: Uint8Array): Correspondence {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getFloat32(0, true) !== 202021.25) {
    throw new DataError('This is not a .flo file: it does not start with "PIEH".');
  }
  const width = view.getInt32(4, true);
  const height = view.getInt32(8, true);
  const area = width * height;
  if (width < 1 || height < 1 || bytes.length !== 12 + 8 * area) {
    throw new DataError(`A .flo file of ${width}x${height} pixels has ${12 + 8 * area} bytes; this one has ${bytes.length}.`);
  }
  const flow = new Float32Array(2 * area);
  const valid = new Uint8Array(area);
  for (let i = 0; i < area; i++) {
    const u = view.getFloat32(12 + 8 * i, true);
    const v = view.getFloat32(16 + 8 * i, true);
    if (!(Math.abs(u) < unknown && Math.abs(v) < unknown)) continue;
    flow[i] = u;
    flow[area + i] = v;
    valid[i] = 1;
  }
  return { target: tensor("float32", [2, height, width], flow), valid: tensor("bool", [height, width], valid) };
}

/**
 * Writes flow `[2, H, W]`, in pixels.
 *
 * @throws DataError when the tensor is not `[2, H, W]`.
 */
export function writeFlo(flow: Tensor<"float32">): Uint8Array<ArrayBuffer> {
  const [components, height, width] = flow.shape;
  if (flow.shape.length !== 3 || components !== 2) {
    throw new DataError(`Flow is float32[2, height, width], not ${describe(flow)}.`);
  }
  const area = height! * width!;
  const view = new DataView(new ArrayBuffer(12 + 8 * area));
  view.setFloat32(0, 202021.25, true);
  view.setInt32(4, width!, true);
  view.setInt32(8, height!, true);
  for (let i = 0; i < area; i++) {
    view.setFloat32(12 + 8 * i, flow.data[i]!, true);
    view.setFloat32(16 + 8 * i, flow.data[area + i]!, true);
  }
  return new Uint8Array(view.buffer);
}

import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { area, intersection, objectsOf, overlap, state } from "./boxes.js";

/** A place of the model is about an object where its clean box overlaps the object's by at least this. */
export const sameObject = 0.5;

/**
 * Lays a list of objects [M, 6] on the places of a model: float32 [6, N], for each place the box, the class and the state of what belongs to it, by the
 * model's clean prediction [4 + K, N]. A place belongs to the object that its clean box overlaps most, from an intersection over union of 0.5 on; the
 * place that overlaps an object most belongs to it in any case, so that none is without. Places that lie at least half within a crowd, or on an
 * object that does not count, do not count. What an attack is compared with so stays the same over its steps, wherever boxes move.
 */
export function assigned(list: Tensor, clean: Tensor): Tensor<"float32"> {
  const places = clean.shape[1]!;
  const data = clean.data as Float32Array;
  const boxes = Array.from({ length: places }, (_, i) => ({
    x1: data[i]!,
    y1: data[places + i]!,
    x2: data[2 * places + i]!,
    y2: data[3 * places + i]!,
  }));
  const all = objectsOf(list);
  const everywhere = all.find((o) => o.state === state.everywhere);
  const crowds = all.filter((o) => o.state === state.crowd);
  const ignored = all.filter((o) => o.state === state.ignored);
  const objects = all.filter((o) => o.state === state.object);
  const owner = new Int32Array(places).fill(-1);
  const best = new Float64Array(places);
  objects.forEach((object, m) => {
    let [first, most] = [-1, 0];
    boxes.forEach((box, i) => {
      const common = overlap(box, object);
      if (common > most) [first, most] = [i, common];
      if (common >= sameObject && common > best[i]!) [owner[i], best[i]] = [m, common];
    });
    // 2: nothing overlaps it more
    if (first >= 0 && best[first]! < 2) [owner[first], best[first]] = [m, 2];
  });
  const out = tensor("float32", [6, places]);
  const put = (i: number, values: readonly number[]) => {
    for (const [row, v] of values.entries()) out.data[row * places + i] = v;
  };
  boxes.forEach((box, i) => {
    const object = objects[owner[i]!];
    if (object) put(i, [object.x1, object.y1, object.x2, object.y2, object.label, state.object]);
    else if (
      crowds.some((c) => intersection(box, c) >= 0.5 * area(box) && area(box) > 0) ||
      ignored.some((o) => overlap(box, o) >= sameObject)
    )
      put(i, [0, 0, 0, 0, -1, state.crowd]);
    else if (everywhere) put(i, [0, 0, 0, 0, everywhere.label, state.everywhere]);
    else put(i, [0, 0, 0, 0, -1, state.nothing]);
  });
  return out;
}

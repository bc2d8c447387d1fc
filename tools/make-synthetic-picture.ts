/**
 * Writes docs/images/synthetic.png: what each synthetic dataset shows, one row a task.
 *
 * Run: npx tsx tools/make-synthetic-picture.ts
 */
import { type Tensor, tensor } from "../src/engine/tensor/tensor.js";
import { syntheticDataset } from "../src/vision/data/index.js";
import { writeImage } from "../src/vision/data/node/index.js";
import { type TaskName, taskNames } from "../src/vision/tasks/index.js";

const side = 104;
const area = side * side;
const columns = 6;

/** Any target as a gray or colored picture. */
function picture(t: Tensor, task: TaskName): Float32Array {
  const values = Float32Array.from(t.data as ArrayLike<number>, Number);
  const planes = (channel: (c: number, i: number) => number) =>
    Float32Array.from({ length: 3 * area }, (_, k) => channel(Math.floor(k / area), k % area));
  const shift = 0.08 * side;
  if (task === "segmentation")
    return planes((c, i) => (values[i] === 0 ? 0.12 : 0.55 + 0.4 * Math.cos(1.7 * values[i]! + 2.1 * c)));
  if (task === "flow") return planes((c, i) => (c === 2 ? 0.5 : 0.5 + (0.5 * values[c * area + i]!) / shift));
  if (task === "disparity") return planes((_, i) => values[i]! / shift);
  if (task === "depth") return planes((_, i) => values[i]! / 10);
  return values;
}

const sheet = new Float32Array(3 * taskNames.length * area * columns);
for (const [row, task] of taskNames.entries()) {
  const dataset = syntheticDataset({ task, size: side, length: columns, seed: 7 });
  const cells: Float32Array[] = [];
  for (let i = 0; cells.length < columns; i++) {
    const { inputs, target } = await dataset.sample(i);
    cells.push(...Object.values(inputs).map((image) => image.data));
    if (target!.shape.length > 0) cells.push(picture(target!, task));
  }
  cells.slice(0, columns).forEach((cell, column) => {
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < side; y++) {
        const to = ((c * taskNames.length + row) * side + y) * columns * side + column * side;
        sheet.set(cell.subarray(c * area + y * side, c * area + (y + 1) * side), to);
      }
    }
  });
}
await writeImage("docs/images/synthetic.png", tensor("float32", [3, taskNames.length * side, columns * side], sheet));

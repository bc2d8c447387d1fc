import type { Sample } from "../../data/dataset.js";
import { encode } from "../../data/synthetic/light.js";
import { render } from "../../data/synthetic/render.js";
import type { SyntheticSettings } from "../../data/synthetic/rule.js";
import { shapeKinds } from "../../data/synthetic/shapes.js";
import { idOf, imageOf, posesAt, sceneFor } from "../../data/synthetic/shots.js";
import { listOf } from "./boxes.js";

/** What is left of a shape must be this large to be an object: pixels that are seen of it. */
const leastPixels = 24;

/** Six to nine shapes, each with the box about what is seen of it; its class is its kind. */
export function detectionScene(settings: SyntheticSettings, index: number): Sample {
  const scene = sceneFor(settings, index, { shadow: "soft", content: "several" });
  const view = render(scene, posesAt(scene, 0));
  const { width, height, layers } = scene;
  const boxes = layers.map(() => ({ x1: width, y1: height, x2: 0, y2: 0, pixels: 0 }));
  view.owner.forEach((layer, i) => {
    const box = boxes[layer]!;
    const [x, y] = [i % width, Math.floor(i / width)];
    box.x1 = Math.min(box.x1, x);
    box.x2 = Math.max(box.x2, x + 1);
    box.y1 = Math.min(box.y1, y);
    box.y2 = Math.max(box.y2, y + 1);
    box.pixels++;
  });
  const objects = layers.flatMap(({ kind }, i) =>
    kind === "background" || boxes[i]!.pixels < leastPixels ? [] : [{ ...boxes[i]!, label: shapeKinds.indexOf(kind) }],
  );
  return { id: idOf(index), inputs: { image: imageOf(scene, encode(view.light)) }, target: listOf(objects) };
}

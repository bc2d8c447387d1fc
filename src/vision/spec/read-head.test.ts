import { afterAll, beforeAll, expect, it } from "vitest";
import { Graph, type Value } from "../../engine/graph/graph.js";
import { add, mul, reduceMean, reshape, sigmoid } from "../../engine/operators/index.js";
import type { Engine } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import { Random } from "../../engine/tensor/random.js";
import { tensor } from "../../engine/tensor/tensor.js";
import { assumptions, assumptionWords } from "./assumptions.js";
import { completeSpec } from "./model-predictor.js";
import { parseModelSpec } from "./model-spec.js";
import { withHeadOf } from "./read-head.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const [places, classes] = [6, 3];

/** A detector of few places that says about the same of every picture: boxes with their second corner, or their sides, at most `reach`. */
function detector(reach: number, scoresOf: (z: Value) => Value) {
  const random = new Random(3, "read-head");
  const graph = new Graph();
  const image = graph.input("image", "float32", [1, 3, 32, 32]);
  const little = mul(reshape(reduceMean(image), [1, 1, 1]), 0.01);
  const numbers = (columns: number, make: (i: number) => number) =>
    graph.constant(
      tensor(
        "float32",
        [1, places, columns],
        Float32Array.from({ length: places * columns }, (_, i) => make(i)),
      ),
    );
  const boxes = numbers(4, (i) => reach * (i % 4 < 2 ? random.uniform(0.2, 0.4) : random.uniform(0.5, 0.9)));
  graph.output("boxes", add(boxes, little));
  graph.output(
    "scores",
    scoresOf(
      add(
        numbers(classes, () => random.normal()),
        little,
      ),
    ),
  );
  return graph.build();
}

it.each([
  ["logits, boxes in pixels: FCOS or RetinaNet of a small picture", 32, (z: Value) => z, "retinanet"],
  ["products of sigmoids, boxes in pixels: FCOS", 32, (z: Value) => mul(sigmoid(z), sigmoid(z)), "retinanet"],
  ["logits, boxes in shares: DETR", 1, (z: Value) => z, "detr"],
  ["sigmoids, boxes in shares: RT-DETR", 1, sigmoid, "rt-detr"],
] as const)("few places are queries or a small grid by what their boxes are: %s", async (_, reach, scoresOf, head) => {
  const file = detector(reach, scoresOf);
  const spec = completeSpec(file, parseModelSpec({ task: "detection" }));
  expect(spec.output.head).toBeUndefined();
  expect((await withHeadOf(file, spec, (g) => engine.evaluate(g))).output.head).toBe(head);
});

it("logits of queries may be DETR's or RT-DETR's: who is told which is assumed is told of both", () => {
  const said = { task: "detection", range: "imagenet", channels: "rgb" } as const;
  const headSaid = (head: "detr" | "rt-detr") =>
    assumptionWords(assumptions(said, parseModelSpec({ ...said, output: { head } })));
  expect(headSaid("detr")).toBe("head of the detector detr and not rt-detr, whose outputs may look the same (--output-head)");
  expect(headSaid("rt-detr")).toBe("head of the detector rt-detr (--output-head)");
});

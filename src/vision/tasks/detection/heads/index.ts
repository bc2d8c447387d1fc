import type { Node, Value } from "../../../../engine/graph/graph.js";
import { concat } from "../../../../engine/operators/index.js";
import { NonMaxSuppression } from "../../../../engine/operators/indexing/non-max-suppression.js";
import type { Tensor } from "../../../../engine/tensor/tensor.js";
import { SpecError } from "../../../spec/error.js";
import type { ModelSpec } from "../../../spec/model-spec.js";
import type { DeclaredOutput } from "../../task.js";
import { formOf } from "../box-form.js";
import { type BoxUnit, boxMeanings } from "../box-meanings.js";
import { type Head, type Named, pairOf } from "./head.js";
import { detr, retinanet, rtDetr, ssd } from "./pairs.js";
import { activationOf, behind, cornersOf, isProbability } from "./values.js";
import { yolov5 } from "./yolov5.js";
import { yolov8 } from "./yolov8.js";
import { yolov10 } from "./yolov10.js";

/** The heads by name, in the order in which they are tried. */
export const heads: readonly Head[] = [yolov8, yolov10, yolov5, ssd, retinanet, detr, rtDetr];

/** The head of that name; undefined where none is said. */
export const headOf = (name: string | undefined): Head | undefined => heads.find((head) => head.name === name);

/** An output with what makes its numbers. */
export type Looked = Named & { readonly activation: "sigmoid" | "softmax" | "none" };

/**
 * The head that outputs look like, where nobody says it: by their number and shapes, and by what makes the scores and how many places there are (queries
 * and chosen boxes are some hundred, grids have thousands).
 *
 * @param unit of the boxes, where it is known: the grid of a small picture has few places too, but its boxes are in pixels, those of queries in shares of the picture.
 */
export function recognized(outputs: readonly Looked[], unit?: BoxUnit): Head | undefined {
  const fitting = heads.filter((head) => head.fits(outputs));
  if (fitting.length <= 1) return fitting[0];
  const pair = pairOf(outputs);
  const scores = outputs[pair ? 1 - pair.boxes : 0]!;
  const places = outputs[pair ? pair.boxes : 0]!.shape.at(-2)!;
  const queries = places <= 1000 && unit !== "pixels";
  if (!pair) return queries ? (scores.shape[2] === 6 ? yolov10 : rtDetr) : yolov5;
  if (scores.activation === "softmax") return queries ? detr : ssd;
  if (scores.activation === "sigmoid") return queries ? rtDetr : retinanet;
  return queries ? detr : retinanet;
}

function looked(v: Value): Looked {
  const { kind } = activationOf(v);
  return { name: v.name, shape: v.shape, activation: kind === "none" && isProbability(v) ? "sigmoid" : kind };
}

const misfit = (outputs: readonly Pick<DeclaredOutput, "name" | "shape">[], head: Head | undefined): SpecError => {
  const listed = outputs.map(({ name, shape }) => `"${name}" [${shape.join(", ")}]`).join(" and ");
  return new SpecError(
    `${outputs.length === 1 ? "The output" : "The outputs"} ${listed} ${head ? `cannot be a head "${head.name}" (${head.about})` : "are of no known head of a detector"}; name the right ones with --of (two with a comma between), or the head with --output-head ${heads.map((h) => h.name).join(", ")}.`,
  );
};

/**
 * Holds the head that is said against the outputs that a file declares. Free axes may be of any size, so what they leave open shows when the model is read for a
 * size of pictures; so does what a model with non-maximum suppression lacks.
 *
 * @throws SpecError where no sizes of the free axes make the outputs such a head.
 */
export function checkHead(name: string, declared: readonly DeclaredOutput[], operators: ReadonlySet<string>): void {
  const head = headOf(name)!;
  if (operators.has(NonMaxSuppression.name)) return;
  const pairs = declared.flatMap((a, i) => declared.slice(i + 1).map((b) => [a, b]));
  const candidates = declared.length <= 2 ? [declared] : pairs;
  if (!candidates.some((outputs) => mayBe(head, outputs))) throw misfit(declared, head);
}

/** What is said of exports with their post-processing inside, of which not even the number of boxes is known before they run. */
export const chosenAtRunTime = (operators: ReadonlySet<string>): string | undefined =>
  operators.has(NonMaxSuppression.name)
    ? "The model chooses its boxes by non-maximum suppression, and how many are left is known only when it runs: export it without its post-processing (Ultralytics: nms=False; torchvision: backbone, head and decoded boxes alone), or name all boxes [batch, places, 4] and scores [batch, places, classes] before that choice with --of BOXES,SCORES (faultline inspect --values lists inner values)."
    : undefined;

/** Whether some sizes of the free axes make the outputs such a head. Heads tell few, six and many apart. */
function mayBe(head: Head, outputs: readonly DeclaredOutput[]): boolean {
  if (outputs.some(({ shape }) => shape.length === 0)) return true;
  const free = [...new Set(outputs.flatMap(({ shape }) => shape.filter((n) => typeof n === "string")))];
  const fits = (sizes: ReadonlyMap<string, number>, [next, ...others]: readonly string[]): boolean =>
    next === undefined
      ? head.fits(
          outputs.map(({ name, shape }) => ({ name, shape: shape.map((n) => (typeof n === "string" ? sizes.get(n)! : n)) })),
        )
      : [4, 6, Number.MAX_SAFE_INTEGER].some((n) => fits(new Map(sizes).set(next, n), others));
  return fits(new Map(), free);
}

/**
 * `recognized` for the outputs that a file declares. An open axis may be of any size, the places or the columns alike (exporters leave open what they do not follow), so
 * that heads are told by files alone whose axes, but for the batch, are numbers.
 */
export function recognizedInFile(declared: readonly DeclaredOutput[]): string | undefined {
  if (declared.some(({ shape }) => shape.length === 0 || shape.slice(1).some((n) => typeof n !== "number"))) return undefined;
  const outputs = declared.map(({ name, shape, op }): Looked => {
    const activation = op === "Sigmoid" ? "sigmoid" : op === "Softmax" ? "softmax" : "none";
    return { name, shape: shape.map((n) => (typeof n === "number" ? n : Number.POSITIVE_INFINITY)), activation };
  });
  const read = pairAmong(outputs) ?? outputs;
  return leftToBoxes(read) ? undefined : recognized(read)?.name;
}

/** Whether outputs may be queries or a small grid, which only the values of the boxes tell apart. */
const leftToBoxes = (outputs: readonly Looked[]): boolean =>
  pairOf(outputs) !== undefined && recognized(outputs)?.name !== recognized(outputs, "pixels")?.name;

/** `recognized` for the outputs of a model that is read for a size of pictures. @param compute gives the values of outputs for some picture. */
export async function recognizedInValues(
  outputs: readonly Value[],
  { output }: ModelSpec,
  compute: (v: Value) => Promise<Tensor>,
): Promise<string | undefined> {
  const all = outputs.map(looked);
  const seen = (output.name === undefined ? pairAmong(all) : undefined) ?? all;
  if (!leftToBoxes(seen)) return recognized(seen)?.name;
  const boxes = outputs[all.indexOf(seen[pairOf(seen)!.boxes]!)]!;
  // What can only be from 0 to 1 is shares, whatever the picture.
  const unit = isProbability(boxes) ? "shares" : boxMeanings[formOf([await compute(boxes)]).name].unit;
  return recognized(seen, unit)?.name;
}

/**
 * A detector's outputs as the canonical prediction [B, 4 + K, N].
 *
 * @throws SpecError where they are of no known head, or of another than is said, or boxes that were chosen already.
 */
export function readBoxes(
  outputs: readonly Value[],
  { output }: ModelSpec,
  size: readonly [height: number, width: number],
): Value {
  const seen = outputs.map(looked);
  const pair = output.name === undefined ? pairAmong(seen) : undefined;
  const read = pair ? outputs.filter((_, i) => pair.includes(seen[i]!)) : outputs;
  const suppression = read.flatMap((v) => nodeBefore(v, NonMaxSuppression) ?? [])[0];
  if (suppression) {
    const [boxes, scores] = suppression.inputs.map((v) => v?.name);
    throw new SpecError(
      `The model chooses its boxes by non-maximum suppression, and what that leaves out has no gradient; name all boxes [batch, places, 4] and scores [batch, places, classes] before it (command line: --of BOXES,SCORES; specification: output.name). What goes into NonMaxSuppression is "${boxes}" and, with the classes first, "${scores}": take these, or what they are transposed from.`,
    );
  }
  const head = headOf(output.head) ?? recognized(read.map(looked));
  if (!head?.fits(read)) throw misfit(read, head);
  const { boxes, logits } = head.parts(read);
  return concat([cornersOf(boxes, output.boxes ?? head.boxes, size), logits], 1);
}

/** The first pair of boxes and scores among more than two outputs (DETR's exports have hidden states too). */
export function pairAmong(outputs: readonly Looked[]): readonly Looked[] | undefined {
  if (outputs.length <= 2) return undefined;
  for (const [i, a] of outputs.entries()) for (const b of outputs.slice(i + 1)) if (recognized([a, b])) return [a, b];
  return undefined;
}

/** A node of an operator that stands anywhere before a value. */
function nodeBefore(v: Value, operator: typeof NonMaxSuppression): Node | undefined {
  const seen = new Set<Value>();
  const open: Value[] = [behind(v)];
  for (let next = open.pop(); next; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.node?.operator === operator) return next.node;
    for (const input of next.node?.inputs ?? []) if (input) open.push(input);
  }
  return undefined;
}

import { type Tensor, tensor } from "../../../engine/tensor/tensor.js";
import { classColor, hex, type Rgb } from "../../render/color.js";
import type { Drawing, Scene } from "../../render/drawing.js";
import { type Box, isIgnored, objectsOf, state } from "./boxes.js";
import { shown } from "./decode.js";

interface Drawn extends Box {
  readonly label: number;
  /** Written above the box; absent: nothing. */
  readonly score?: number;
  readonly dashed?: boolean;
}

/** The boxes that are shown, before and after the attack, and the true ones: a color for each class, scores in per cent above them. */
export function drawBoxes({ image, before, after, truth, target, className, output }: Scene): Drawing {
  const [clean, attacked] = [shown(before, output), shown(after, output)];
  const listed = (list: Tensor): Drawn[] =>
    objectsOf(list)
      .filter((o) => o.state === state.object || isIgnored(o))
      .map((o) => ({ ...o, dashed: isIgnored(o) }));
  const truths = truth ? listed(truth) : [];
  const wished = target ? listed(target) : [];
  const all: readonly Drawn[] = [...clean, ...attacked, ...truths, ...wished];
  const counts = new Map<number, number>();
  for (const { label } of all) counts.set(label, (counts.get(label) ?? 0) + 1);
  const entries = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 14);
  const boxes = (n: number) => `${n} box${n === 1 ? "" : "es"}`;
  const panel = (name: string, title: string, list: readonly Drawn[]) => ({
    name,
    title,
    note: boxes(list.length),
    image: withBoxes(image, list),
  });
  return {
    legend: {
      kind: "classes",
      entries: entries.map(([label, n]) => ({
        label,
        name: className(label),
        color: hex(classColor(label)),
        share: n / all.length,
      })),
    },
    panels: [
      panel("before", "Boxes, clean", clean),
      panel("after", "Boxes, adversarial", attacked),
      ...(truth ? [panel("truth", "Ground truth", truths)] : []),
      ...(wished.length > 0 ? [panel("target", "What the attacker wants", wished)] : []),
    ],
  };
}

/**
 * Boxes drawn over a picture in pale gray, the surest on top.
 *
 * @returns float32 [3, H', W'] in [0, 1]: small pictures are enlarged by a whole number, so that lines and digits can be read.
 */
function withBoxes(image: Tensor<"float32">, boxes: readonly Drawn[]): Tensor<"float32"> {
  const [, height, width] = image.shape as [number, number, number];
  const zoom = Math.max(1, Math.ceil(360 / Math.max(height, width)));
  const [h, w] = [height * zoom, width * zoom];
  const out = tensor("float32", [3, h, w]);
  const plane = h * w;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const from = Math.floor(y / zoom) * width + Math.floor(x / zoom);
      const [r, g, b] = [0, 1, 2].map((c) => image.data[c * height * width + from]!) as [number, number, number];
      const gray = 0.299 * r + 0.587 * g + 0.114 * b;
      [r, g, b].forEach((v, c) => {
        out.data[c * plane + y * w + x] = 0.25 + 0.7 * (0.5 * v + 0.5 * gray);
      });
    }
  const dot = (x: number, y: number, color: Rgb) => {
    if (x < 0 || y < 0 || x >= w || y >= h) return;
    for (const [c, v] of color.entries()) out.data[c * plane + y * w + x] = v;
  };
  const line = Math.max(1, Math.round(Math.max(h, w) / 250));
  for (const box of [...boxes].reverse()) {
    const color = classColor(box.label);
    const at = (v: number, most: number) => Math.min(most - 1, Math.max(0, Math.round(v * zoom)));
    const [x1, y1, x2, y2] = [at(box.x1, w), at(box.y1, h), at(box.x2 - 1 / zoom, w), at(box.y2 - 1 / zoom, h)];
    const gap = (i: number) => box.dashed === true && Math.floor(i / (4 * line)) % 2 === 1;
    for (let k = 0; k < line; k++) {
      for (let x = x1; x <= x2; x++)
        if (!gap(x - x1)) {
          dot(x, y1 + k, color);
          dot(x, y2 - k, color);
        }
      for (let y = y1; y <= y2; y++)
        if (!gap(y - y1)) {
          dot(x1 + k, y, color);
          dot(x2 - k, y, color);
        }
    }
    if (box.score !== undefined) write(String(Math.round(100 * box.score)), x1 + line, y1 + line, line, color, dot);
  }
  return out;
}

/** Digits of 3 x 5 dots, a row a number of three bits. */
const digits = ["75557", "26227", "71747", "71717", "55711", "74717", "74757", "71111", "75757", "75717"];

/** A number in a box's upper left corner, dark on the box's color. */
function write(
  text: string,
  left: number,
  top: number,
  size: number,
  color: Rgb,
  dot: (x: number, y: number, c: Rgb) => void,
): void {
  const width = (4 * text.length + 1) * size;
  for (let y = 0; y < 7 * size; y++) for (let x = 0; x < width; x++) dot(left + x, top + y, color);
  for (const [i, digit] of [...text].entries())
    for (let row = 0; row < 5; row++)
      for (let column = 0; column < 3; column++) {
        if (((Number(digits[Number(digit)]![row]) >> (2 - column)) & 1) === 0) continue;
        for (let y = 0; y < size; y++)
          for (let x = 0; x < size; x++)
            dot(left + (1 + 4 * i + column) * size + x, top + (1 + row) * size + y, [0.08, 0.08, 0.1]);
      }
}

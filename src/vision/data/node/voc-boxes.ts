/** PASCAL VOC's annotations of objects: `Annotations/<id>.xml`, corners in pixels counted from 1, both inclusive. */
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { listOf, state } from "../../tasks/detection/boxes.js";
import { DataError } from "../error.js";

/** What is read of an element. */
interface XmlElement {
  readonly textContent: string | null;
  readonly children: Iterable<XmlElement & { readonly localName: string }>;
  querySelectorAll(selector: string): Iterable<XmlElement>;
}

export interface VocAnnotation {
  readonly list: Tensor<"float32">;
  /** Of the picture that was annotated; absent where the file does not say it. */
  readonly size?: { readonly height: number; readonly width: number };
}

/**
 * Objects of an annotation, float32 [M, 6]. Difficult ones count neither way, as in VOC's own evaluation.
 *
 * @param classes names of the classes, in their order.
 * @throws DataError where the file is no such annotation, or names another class.
 */
export async function parseVocAnnotation(bytes: Uint8Array, classes: readonly string[]): Promise<VocAnnotation> {
  const { DOMParser } = await import("linkedom/worker");
  const document = new DOMParser().parseFromString(new TextDecoder().decode(bytes), "text/xml") as unknown as XmlElement;
  const [root] = document.querySelectorAll("annotation");
  if (!root) throw new DataError("this is no VOC annotation: it has no <annotation>.");
  const child = (of: XmlElement, name: string) => [...of.children].find((c) => c.localName === name);
  const number = (of: XmlElement | undefined, name: string): number =>
    Number.parseFloat((of && child(of, name)?.textContent) ?? "");
  const objects = [...root.children].filter((c) => c.localName === "object");
  const rows = objects.map((object, i) => {
    const name = child(object, "name")?.textContent?.trim() ?? "";
    const label = classes.indexOf(name);
    if (label < 0) throw new DataError(`object ${i + 1} is "${name}", which is none of VOC's classes (${classes.join(", ")}).`);
    const box = child(object, "bndbox");
    const [x1, y1, x2, y2] = ["xmin", "ymin", "xmax", "ymax"].map((side) => number(box, side)) as [
      number,
      number,
      number,
      number,
    ];
    if (![x1, y1, x2, y2].every(Number.isFinite)) throw new DataError(`object ${i + 1} ("${name}") has no box of four numbers.`);
    const difficult = number(object, "difficult") === 1;
    return { x1: x1 - 1, y1: y1 - 1, x2, y2, label, state: difficult ? state.ignored : state.object };
  });
  const size = child(root, "size");
  const [width, height] = [number(size, "width"), number(size, "height")];
  return { list: listOf(rows), ...(width > 0 && height > 0 && { size: { height, width } }) };
}

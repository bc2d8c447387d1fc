/**
 * Objects of a picture as archives of data sets have them: a list of `{ bbox, category_id, ... }` (COCO's annotations), or the same in columns, `{ bbox: [...], category: [...] }` (as
 * Hugging Face's `datasets` writes it).
 *
 * The four numbers of a box are corner and sides in COCO and in most data sets, and two corners in others that look just like them (detection-datasets/coco is such). Nothing in the
 * files says which, and boxes that are read the wrong way are boxes all the same. So every form is held against pictures: sides above 0, within the picture, and not smaller than what the
 * object covers. One form must be left.
 */
import type { Tensor } from "../../../engine/tensor/tensor.js";
import { listOf, state } from "../../tasks/detection/boxes.js";
import { DataError } from "../error.js";

type Four = readonly [number, number, number, number];

interface FormDefinition {
  /** First and second corner, in the unit of the box. */
  readonly corners: (box: Four) => Four;
  readonly unit: "pixels" | "shares of the picture's sides";
  /** Nobody writes the center in pixels: that form is none that is guessed. */
  readonly taken: "where it fits" | "where it is said";
}

const cornerAndSides = ([x, y, w, h]: Four): Four => [x, y, x + w, y + h];
const centerAndSides = ([x, y, w, h]: Four): Four => [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
const twoCorners = (box: Four): Four => box;
const [pixels, shares] = ["pixels", "shares of the picture's sides"] as const;

/** What the four numbers of a box may be. */
const forms = {
  xywh: { corners: cornerAndSides, unit: pixels, taken: "where it fits" },
  xyxy: { corners: twoCorners, unit: pixels, taken: "where it fits" },
  cxcywh: { corners: centerAndSides, unit: pixels, taken: "where it is said" },
  "xywh-normalized": { corners: cornerAndSides, unit: shares, taken: "where it fits" },
  "xyxy-normalized": { corners: twoCorners, unit: shares, taken: "where it fits" },
  "cxcywh-normalized": { corners: centerAndSides, unit: shares, taken: "where it fits" },
} as const satisfies Readonly<Record<string, FormDefinition>>;

export type BoxForm = keyof typeof forms;

const boxForms = Object.keys(forms) as BoxForm[];

const isForm = (word: string | undefined): word is BoxForm => boxForms.some((form) => form === word);

/** A variant as it is typed, "objects", "xyxy" or "objects:xyxy": what holds the truth, and the form of its boxes. */
export function splitVariant(variant: string | undefined): { readonly where?: string; readonly form?: BoxForm } {
  const parts = variant?.split(":") ?? [];
  const last = parts.at(-1);
  const form = isForm(last) ? last : undefined;
  const where = (form ? parts.slice(0, -1) : parts).join(":");
  return { ...(where !== "" && { where }), ...(form && { form }) };
}

/** An object as it is written. */
export interface Written {
  readonly box: Four;
  readonly category: number | string;
  readonly area?: number;
  readonly crowd: boolean;
  readonly difficult: boolean;
}

export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

/** Names of the fields, the likeliest first. */
const names = {
  box: ["bbox", "box", "boxes", "bboxes"],
  category: ["category_id", "category", "label", "labels", "categories", "class_id", "class", "id_class"],
  area: ["area"],
  crowd: ["iscrowd", "is_crowd", "crowd"],
  difficult: ["difficult", "is_difficult"],
} as const;

/** Whether a field of this name holds boxes. */
export const isBoxField = (name: string): boolean => names.box.some((box) => box === name);

type Fields = Readonly<Record<string, unknown>>;
const isFields = (v: unknown): v is Fields => typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v);

const nameIn = (fields: Fields, of: keyof typeof names): string | undefined =>
  names[of].find((name) => fields[name] !== undefined && fields[name] !== null);

/** The field of the classes among those of an object. */
export const categoryField = (fields: Iterable<string>): string | undefined => {
  const there = new Set(fields);
  return names.category.find((name) => there.has(name));
};

/**
 * The objects in a value; null and undefined hold none.
 *
 * @throws DataError where it is of neither form, or an object has no box or no class.
 */
export function writtenObjects(value: unknown): Written[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : inRows(value)).map((object, i) => writtenObject(object, i + 1));
}

/** Columns as rows. */
function inRows(value: unknown): Fields[] {
  const box = isFields(value) ? nameIn(value, "box") : undefined;
  if (!isFields(value) || box === undefined || !Array.isArray(value[box]))
    throw new DataError(
      `objects are a list, or columns of equal length, with a box each (${names.box.join(", ")})${isFields(value) ? `; there are the fields ${Object.keys(value).slice(0, 8).join(", ") || "none"}` : ""}.`,
    );
  const columns = Object.entries(value).filter(([, column]) => Array.isArray(column)) as [string, unknown[]][];
  const count = (value[box] as unknown[]).length;
  const other = columns.find(([, column]) => column.length !== count);
  if (other) throw new DataError(`there are ${count} boxes and ${other[1].length} of ${other[0]}: they do not belong together.`);
  return Array.from({ length: count }, (_, i) => Object.fromEntries(columns.map(([name, column]) => [name, column[i]])));
}

function writtenObject(object: unknown, number: number): Written {
  const fields = isFields(object) ? object : {};
  const [boxName, categoryName, area] = [nameIn(fields, "box"), nameIn(fields, "category"), nameIn(fields, "area")];
  const found = `; its fields are ${Object.keys(fields).slice(0, 8).join(", ") || "none"}`;
  if (boxName === undefined) throw new DataError(`object ${number} has no box (${names.box.join(", ")})${found}.`);
  if (categoryName === undefined)
    throw new DataError(`object ${number} has no class (${names.category.slice(0, 3).join(", ")})${found}.`);
  const given = fields[boxName];
  const box = (Array.isArray(given) || ArrayBuffer.isView(given) ? Array.from(given as ArrayLike<unknown>) : []).map(Number);
  if (box.length !== 4 || !box.every(Number.isFinite))
    throw new DataError(`object ${number} has the box ${JSON.stringify(box)}, and a box is four numbers.`);
  const flag = (of: "crowd" | "difficult") => {
    const name = nameIn(fields, of);
    return name !== undefined && Number(fields[name]) === 1;
  };
  return {
    box: box as unknown as Four,
    category: categoryOf(fields[categoryName]),
    ...(area !== undefined && Number.isFinite(Number(fields[area])) && { area: Number(fields[area]) }),
    crowd: flag("crowd"),
    difficult: flag("difficult"),
  };
}

function categoryOf(value: unknown): number | string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : Number(value);
}

/** Corners in pixels. */
function cornersOf(box: Four, form: BoxForm, { height, width }: PictureSize) {
  const { corners, unit } = forms[form];
  const [x, y] = unit === pixels ? [1, 1] : [width, height];
  const [x1, y1, x2, y2] = corners(box);
  return { x1: x1 * x, y1: y1 * y, x2: x2 * x, y2: y2 * y };
}

/** Objects of one picture, with its size as it was annotated. */
export interface Annotated {
  readonly objects: readonly Written[];
  readonly size: PictureSize;
}

/** What `describe` says of it: nothing where there are no boxes. */
export const formText = (form: BoxForm | undefined, said: BoxForm | undefined): string =>
  form === undefined ? "" : `, whose boxes are ${form}${said === undefined ? " (of the first ones no other form fits)" : ""}`;

/** Boxes that annotators drew a little over the edge, and outlines rounded up, are no other form. */
const slack = (side: number): number => 1 + side / 100;
/** Data sets have some boxes that are wrong (CPPE-5 has): of a form that is meant nearly all fit. */
const nearlyAll = 0.95;

/** The share of boxes that can be in a form: of a size, within their picture, not smaller than what the object covers. */
function shareThatFits(all: readonly Annotated[], form: BoxForm): number {
  let [count, fitting] = [0, 0];
  for (const { objects, size } of all)
    for (const { box, area } of objects) {
      count++;
      const { x1, y1, x2, y2 } = cornersOf(box, form, size);
      const [w, h] = [slack(size.width), slack(size.height)];
      const within = x1 >= -w && y1 >= -h && x2 <= size.width + w && y2 <= size.height + h;
      const covers = area === undefined || forms[form].unit === shares || area <= (x2 - x1 + 1) * (y2 - y1 + 1);
      if (x2 > x1 && y2 > y1 && within && covers) fitting++;
    }
  return count === 0 ? 0 : fitting / count;
}

/**
 * The form of the boxes of a data set, by some of them.
 *
 * @param where they are, for the message.
 * @param said the form that somebody named: it is held against the boxes too.
 * @throws DataError where the boxes cannot be in the form that is said, or in none, or in several.
 */
export function formOf(all: readonly Annotated[], where: string, said: BoxForm | undefined): BoxForm {
  const small =
    all.some(({ objects }) => objects.length > 0) &&
    all.every(({ objects }) => objects.every(({ box }) => Math.max(...box) <= 1));
  const possible = boxForms.filter((form) => forms[form].unit === (small ? shares : pixels));
  const fits = possible.filter((form) => shareThatFits(all, form) >= nearlyAll);
  const likely = fits.filter((form) => forms[form].taken === "where it fits");
  const count = all.reduce((n, { objects }) => n + objects.length, 0);
  if (count === 0) return said ?? "xywh";
  const seen = count === 1 ? "the only box that was looked at" : `${count} boxes that were looked at`;
  const say = (some: readonly BoxForm[]) => some.map((form) => `--variant ${form}`).join(" or ");
  if (said !== undefined) {
    if (fits.includes(said)) return said;
    throw new DataError(
      `${where}: the boxes are not ${said} (of ${seen}, ${Math.round(100 * shareThatFits(all, said))} % would lie within their picture)${fits.length > 0 ? `; they may be ${fits.join(" or ")}` : ""}.`,
    );
  }
  if (likely.length === 1) return likely[0]!;
  const first = all.flatMap(({ objects, size }) => objects.map(({ box }) => ({ box, size })))[0]!;
  const example = `the first is [${first.box.map((v) => Number(v.toPrecision(6))).join(", ")}] in a picture of ${first.size.width}x${first.size.height}`;
  throw new DataError(
    likely.length === 0
      ? `${where}: the boxes are in no form that is known (${boxForms.join(", ")}); ${example}.`
      : `${where}: by ${seen} nobody can tell whether boxes are ${likely.join(" or ")}; ${example}. Say ${say(likely)}.`,
  );
}

/**
 * Objects as a list, float32 [M, 6] or [M, 7].
 *
 * @param classNames by which classes that are written as names get their number.
 * @throws DataError where a class is no whole number from 0 on and none of the names, or a box has its corners the wrong way round.
 */
export function listOfWritten(
  objects: readonly Written[],
  form: BoxForm,
  size: PictureSize,
  classNames: readonly string[] | undefined,
): Tensor<"float32"> {
  return listOf(
    objects.map(({ box, category, area, crowd, difficult }, i) => {
      const label = typeof category === "number" ? category : (classNames ?? []).indexOf(category);
      if (typeof category === "string" && label < 0)
        throw new DataError(
          `object ${i + 1} is "${category.slice(0, 40)}", ${classNames ? "which is none of the classes' names" : "and nothing says which number that class has"}.`,
        );
      if (!Number.isSafeInteger(label) || label < 0)
        throw new DataError(`object ${i + 1} is of class ${category}, and a class is a whole number from 0.`);
      const corners = cornersOf(box, form, size);
      if (corners.x2 < corners.x1 || corners.y2 < corners.y1)
        throw new DataError(`object ${i + 1} has the box [${box.join(", ")}], which as ${form} has sides below 0.`);
      return {
        ...corners,
        label,
        state: crowd ? state.crowd : difficult ? state.ignored : state.object,
        ...(area !== undefined && { covers: area }),
      };
    }),
  );
}

import type { PlaceSpectrum } from "../../methods/spectrum/index.js";

/** One layer as each of several models has it; undefined where a model has no such layer. */
export type Row = readonly (PlaceSpectrum | undefined)[];

/**
 * Which layers of several models are the same: those of one name (or of a part of that layer, which is how `retrofit` names what it puts in place), then,
 * in their order, those that bring the same map to the same size. Others have a row of their own.
 */
export function paired(models: readonly (readonly PlaceSpectrum[])[]): Row[] {
  const rows: (PlaceSpectrum | undefined)[][] = [];
  models.forEach((places, which) => {
    const open = new Set(places);
    for (const alike of [sameLayer, sameMaps])
      for (const place of open) {
        const row = rows.find((r) => r[which] === undefined && r.some((other) => other !== undefined && alike(other, place)));
        if (!row) continue;
        row[which] = place;
        open.delete(place);
      }
    for (const place of open) rows.push(models.map((_, i) => (i === which ? place : undefined)));
  });
  return rows;
}

/** The name in the label `Conv "name"` or `Conv -> "map"`. */
const nameOf = ({ node }: PlaceSpectrum): string => /"(.*)"$/.exec(node)?.[1] ?? "";

const sameLayer = (a: PlaceSpectrum, b: PlaceSpectrum): boolean =>
  a.direction === b.direction && (isPartOf(a, b) || isPartOf(b, a));

/** Whether a place is another by its name, or a part of it. */
export function isPartOf(place: PlaceSpectrum, whole: PlaceSpectrum): boolean {
  const [name, other] = [nameOf(place), nameOf(whole)];
  return other !== "" && (name === other || name.startsWith(`${other}/`));
}

const sameMaps = (a: PlaceSpectrum, b: PlaceSpectrum): boolean =>
  a.direction === b.direction && a.before.join() === b.before.join() && a.after.join() === b.after.join();

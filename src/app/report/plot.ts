import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom/worker";

// linkedom's own build in one file: its 200 small ones take 0.13 s longer to load.
const { document } = parseHTML("<!doctype html><html><body></body></html>");

/**
 * A chart as SVG text, drawn by Observable Plot without a browser.
 *
 * @param attributes further ones of the svg element: `aFile` where it stands in a file of its own.
 * @example svgOf({ marks: [Plot.line(points, { x: "step", y: "loss" })] }, aFile)
 */
export function svgOf(options: Plot.PlotOptions, attributes: Readonly<Record<string, string>> = {}): string {
  const figure = Plot.plot({ ...options, document: document as unknown as Document });
  for (const [name, value] of Object.entries(attributes)) figure.setAttribute(name, value);
  return figure.outerHTML;
}

/** What the svg element of a file says, and one within a page need not. */
export const aFile = { xmlns: "http://www.w3.org/2000/svg" };

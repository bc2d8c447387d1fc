import * as Plot from "@observablehq/plot";
import { svgOf } from "../report/plot.js";
import type { TrainRecord } from "./run-train.js";

/** Loss against step, and below it the first evaluation metric where there is one, as SVG. */
export function lossFigure(records: readonly TrainRecord[]): string {
  const losses = records.flatMap((r) => (r.loss === undefined ? [] : [{ step: r.index, value: r.loss, panel: "training loss" }]));
  const measured = records.flatMap((r) =>
    Object.entries(r.evaluation ?? {})
      .slice(0, 1)
      .map(([name, value]) => ({ step: r.index, value, panel: `evaluation: ${name}` })),
  );
  const panels = [losses, measured].filter((points) => points.length > 0);
  const height = 220;
  const plots = panels.map((points, i) =>
    svgOf(
      {
        width: 640,
        height,
        marginLeft: 60,
        x: { label: "step", domain: [0, records.at(-1)?.index ?? 1] },
        y: { label: points[0]!.panel, grid: true },
        marks: [
          Plot.line(points, { x: "step", y: "value", stroke: "#1d4ed8" }),
          // Evaluations are few, and a single one makes no line.
          ...(points === measured ? [Plot.dot(points, { x: "step", y: "value", fill: "#1d4ed8" })] : []),
        ],
      },
      { y: String(i * height) },
    ),
  );
  const total = height * panels.length;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="${total}" viewBox="0 0 640 ${total}">${plots.join("")}</svg>\n`;
}

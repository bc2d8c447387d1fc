import * as Plot from "@observablehq/plot";
import { tasks } from "../../vision/tasks/index.js";
import { accuracyCurve, type SmallestSummary } from "../attack/smallest.js";
import { plain } from "./html.js";
import type { Report } from "./page.js";
import { svgOf } from "./plot.js";
import { radius } from "./words.js";

/** Where the attack looked for the smallest perturbations: what holds at which radius, as a curve and at the radii of the literature. */
export function smallestSection(report: Report): string {
  const { plan, summary } = report;
  const { smallest } = summary;
  if (!smallest || summary.samples === 0) return "";
  const { norm, right, unbroken, median, accuracy } = smallest;
  const what = heldWords(report);
  const { epsilon } = plan.attack.budget;
  const limit = epsilon === undefined ? "" : ` within ${radius(epsilon, norm)}`;
  const middle =
    median === null
      ? `Fewer than half of the ${right} pictures that were right broke`
      : `Half of the ${right} pictures that were right break within ${radius(median, norm)}`;
  const cells = accuracy.map((p) => `<tr><th scope="row">${radius(p.epsilon, norm)}</th><td>${percent(p.share)}</td></tr>`);
  return `<section>
<h2>${what[0]!.toUpperCase()}${what.slice(1)} over epsilon</h2>
<p class="lead">${plain(middle)} (${plain(norm)}); ${unbroken} never broke${plain(limit)}. One run gives the whole curve: a picture holds at every radius below the size of the smallest perturbation found for it, so the curve is an upper bound, as every attack's is.</p>
<div class="charts">
<figure>${curveFigure(report, smallest)}<figcaption>${plain(what)} against the radius (${plain(norm)}); the marks are radii of the literature. <code>curve.csv</code> has every point.</figcaption></figure>
<figure><table><thead><tr><th scope="col">epsilon (${plain(norm)})</th><th scope="col">${plain(what)}</th></tr></thead><tbody>${cells.join("")}</tbody></table></figure>
</div>
<p class="footnote">Sizes are those of the images that the attack found, in floats. Rounded to files of 8 bits they have others, and what is broken by less than a level may hold: the column "saved as 8-bit" has what is left.</p>
</section>`;
}

/** In classification what holds is accuracy. */
const heldWords = ({ plan }: Report): string =>
  plan.goal.kind === "targeted"
    ? "pictures not driven to the target"
    : tasks[plan.spec.task].extent === "image"
      ? "accuracy"
      : "pictures that hold";

const percent = (v: number): string => `${(100 * v).toFixed(1)}\u00a0%`;

function curveFigure({ plan, records }: Report, { norm, accuracy }: SmallestSummary): string {
  const levels = norm === "l_inf" ? 255 : 1;
  const points = accuracyCurve(records).map(({ epsilon, share }) => ({ x: epsilon * levels, share }));
  const { epsilon } = plan.attack.budget;
  const last = points.at(-1)!;
  const end = Math.max(last.x * 1.05, (epsilon ?? 0) * levels, accuracy[0]!.epsilon * levels);
  const marks = accuracy.filter((p) => p.epsilon * levels <= end).map((p) => ({ x: p.epsilon * levels, share: p.share }));
  return svgOf({
    className: "plot",
    width: 620,
    height: 280,
    marginLeft: 56,
    marginTop: 32,
    marginBottom: 42,
    style: { background: "none", fontFamily: "inherit", fontSize: "12px" },
    x: {
      label: levels === 255 ? "epsilon, of 255 levels" : `epsilon (${norm})`,
      labelOffset: 38,
      domain: [0, end],
      ticks: marks.length > 1 ? marks.map((p) => p.x) : 6,
      tickFormat: (v: number) => String(Number(v.toPrecision(3))),
    },
    y: { label: null, domain: [0, 1], tickFormat: "~%", grid: true },
    marks: [
      Plot.ruleX(marks, { x: "x", stroke: "var(--muted)", strokeDasharray: "2 3" }),
      Plot.line([...points, { x: end, share: last.share }], {
        x: "x",
        y: "share",
        curve: "step-after",
        stroke: "var(--accent)",
        strokeWidth: 2.5,
      }),
      Plot.dot(marks, { x: "x", y: "share", r: 4, fill: "var(--accent)" }),
    ],
  });
}

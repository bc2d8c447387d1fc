import { conversionText } from "../../vision/data/conversions.js";
import { assumptionsNamed, assumptionWords } from "../../vision/spec/assumptions.js";
import { tasks } from "../../vision/tasks/index.js";
import { typed } from "../attack/parameters.js";
import type { AttackPlan } from "../attack/plan.js";
import type { AttackSummary } from "../attack/summary.js";
import { plain } from "./html.js";
import type { Report } from "./page.js";
import { allowance, attackName, framingText, reproduce, shortPath, sizeText, stepWords, targetText, tilesText } from "./words.js";

/** Everything that the numbers depend on, and the command that makes the run again. */
export function settingList({ plan, summary }: Report): string {
  const { model, spec, assumed, data, attack, fit, runtime } = plan;
  const range =
    typeof spec.range === "string" ? spec.range : `(x − ${spec.range.mean.join(", ")}) / ${spec.range.std.join(", ")}`;
  const rows: [string, string][] = [
    ["Model", `${shortPath(model.path)}, SHA-256 ${model.sha256}`],
    ["Expects", `${spec.channels.toUpperCase()}, ${range}; ${sizeText(spec.size)}; ${spec.layout.toUpperCase()}`],
    ...(assumed?.length
      ? [
          ["Assumed", `${assumptionWords(assumptionsNamed(assumed, spec))}: nobody said so; these flags settle it`] as [
            string,
            string,
          ],
        ]
      : []),
    ["Yields", `${spec.task}${tasks[spec.task].output.meanings.length > 1 ? ` as ${spec.output.meaning}` : ""}`],
    [
      "Data",
      `${shortPath(data.path)}${data.split ? `, ${data.split}` : ""}, ${data.length} samples${data.limit ? `, ${data.limit} of them chosen by the seed` : ""}${data.corruption ? `, each image corrupted (${data.corruption})` : ""}`,
    ],
    ["Sizes", `${pictureWords(fit)}${fitWords(plan, summary)}`],
    ...(summary.converted
      ? [["Converted", `as the pictures were read: ${conversionText(summary.converted, "rounded to 8")}`] as [string, string]]
      : []),
    [
      "Attack",
      `${attackName(plan)} (${attack.definition.source}): ${typed(attack)
        .map(([flag, value]) => `${flag.slice(2)} ${value}`)
        .join(", ")}${stepWords(plan) ? `; steps${stepWords(plan)}` : ""}`,
    ],
    ["May change", allowance(attack.budget.epsilon ?? summary.perturbation[attack.budget.norm], attack.budget.norm)],
    [
      "Goal",
      plan.goal.kind === "targeted"
        ? `towards ${targetText(plan)}`
        : `away from ${plan.reference === "truth" ? "the ground truth, where there is one, else " : ""}the model's own clean prediction`,
    ],
    [
      "Computed by",
      `Faultline ${plan.version}, ${runtime.runtime}, provider ${runtime.provider}, ${runtime.threads} thread${runtime.threads === 1 ? "" : "s"}, optimization ${runtime.optimization}`,
    ],
    ["Seed", String(plan.seed)],
  ];
  return `<section>
<h2>Setting</h2>
<dl class="setting">${rows.map(([name, value]) => `<dt>${name}</dt><dd>${plain(value)}</dd>`).join("")}</dl>
<p class="again">This command makes the run again, bit for bit where provider and version are the same; <code>again.sh</code> in the run directory has it with the paths as they were.</p>
<pre>${plain(reproduce(plan, "spec.json", "again", shortPath))}</pre>
</section>`;
}

function pictureWords({ resize, shorter, crop }: AttackPlan["fit"]): string {
  const ways = [
    ...(resize ? [`resized to ${resize.height}×${resize.width} (bilinear, antialiased)`] : []),
    ...(shorter === undefined ? [] : [`resized to ${shorter} pixels on the shorter side`]),
    ...(crop ? [`cropped to the middle ${crop.height}×${crop.width}`] : []),
  ];
  return ways.length > 0 ? `pictures are ${ways.join(", then ")} before anything else; ` : "";
}

function fitWords(plan: AttackPlan, { tiles, framing }: AttackSummary): string {
  const { fit } = plan;
  if (fit.mismatch !== "tile") return framing ? framingText(plan, framing) : "all pictures have a size that the model takes";
  const cut = tiles ? tilesText(fit.tiles, tiles) : "tiles";
  return `predicted in ${cut}. Each pixel's prediction is taken from the tile that has most context around it. All tiles of an image are attacked together, and every number is of a whole image predicted in tiles anew`;
}

import type { Check } from "../attack/audit.js";
import { plain } from "./html.js";
import { marks } from "./icons.js";
import type { Report } from "./page.js";

const verdictWords = { passed: "passed", warning: "to look at", failed: "failed", "not applicable": "does not apply" } as const;

/** What needs a look stands open; what passed is one line that opens. */
export function auditList({ checks }: Report): string {
  if (!checks)
    return `<section id="audit">
<h2>Audit</h2>
<p class="lead">This run was not audited, so nothing says whether its numbers can be believed: <code>faultline audit</code> does it.</p>
</section>`;
  const open = checks.filter((c) => c.verdict === "failed" || c.verdict === "warning");
  const green = checks.filter((c) => c.verdict === "passed");
  const idle = checks.filter((c) => c.verdict === "not applicable");
  const rank = (c: Check) => (c.verdict === "failed" ? 0 : 1);
  const list = (of: readonly Check[]) => `<ul class="checks">\n${of.map(row).join("\n")}\n</ul>`;
  const folded = (of: readonly Check[], mark: keyof typeof marks, words: string) =>
    of.length === 0
      ? ""
      : `<details class="fold checks-line ${mark.replace(" ", "-")}"><summary><span class="mark" aria-hidden="true">${marks[mark]}</span><span><b>${words}</b> ${plain(of.map((c) => c.name).join(" · "))}</span></summary>\n${list(of)}\n</details>`;
  return `<section id="audit">
<h2>Audit</h2>
<p class="lead">Can these numbers be believed? Weak attacks make weak models look strong, so the attack itself is examined.</p>
${open.length > 0 ? list(open.toSorted((a, b) => rank(a) - rank(b))) : ""}
${folded(green, "passed", `${green.length} passed`)}
${folded(idle, "not applicable", `${idle.length} ${idle.length === 1 ? "does" : "do"} not apply`)}
</section>`;
}

function row(c: Check): string {
  const number = (v: number | string | null) =>
    typeof v === "number" ? String(Number(v.toPrecision(6))) : (v ?? "not a number");
  const numbers = Object.entries(c.numbers);
  const details =
    numbers.length > 0
      ? `<details><summary>numbers</summary><dl>${numbers.map(([name, v]) => `<dt>${plain(name)}</dt><dd>${plain(number(v))}</dd>`).join("")}</dl></details>`
      : "";
  return `<li class="${c.verdict.replace(" ", "-")}"><span class="mark" aria-hidden="true">${marks[c.verdict]}</span><div><h3>${plain(c.name)}<span class="verdict">${verdictWords[c.verdict]}</span></h3><p>${plain(c.sentence)}</p>${details}</div></li>`;
}

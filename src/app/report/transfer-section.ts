import { transferCells, transferHead, transferNote } from "../attack/transfer-text.js";
import { plain } from "./html.js";
import type { Report } from "./page.js";

/** The same images on other models; empty where none was named. */
export function transferSection({ plan, transfers }: Report): string {
  if (transfers.length === 0) return "";
  const head = ["model", ...transferHead(plan)].map((cell) => `<th scope="col">${plain(cell)}</th>`).join("");
  const rows = transfers.map((t) => {
    const cells = transferCells(plan, t).map((cell) => `<td>${plain(cell)}</td>`);
    return `<tr><th scope="row">${plain(t.model)}</th>${cells.join("")}</tr>`;
  });
  const notes = transfers.flatMap((t) => {
    const note = transferNote(plan, t);
    return note ? [`<p class="lead">${plain(note)}.</p>`] : [];
  });
  return `<section>
<h2>On other models</h2>
<p class="lead">The images were made for the attacked model alone, and shown to these as they are.</p>
<div class="scroll"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table></div>
${notes.join("\n")}
</section>`;
}

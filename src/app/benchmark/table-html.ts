import { plain } from "../report/html.js";
import type { Cell, Table } from "./tables.js";

/** A table whose headings sort it; a first column of text is a heading of its rows. @param links of rows, behind all columns; empty: none. */
export function tableHtml({ caption, head, rows }: Table, links: readonly string[] = []): string {
  const headings = head.map(
    ({ text, title, kind }) =>
      `<th scope="col" data-kind="${kind}"${kind === "text" ? ' class="text"' : ""}${title ? ` title="${plain(title)}"` : ""}><button type="button">${plain(text)}</button></th>`,
  );
  const linked = links.some((link) => link !== "");
  const body = rows.map((row, r) => {
    const cells = row.map((cell, i) => cellHtml(cell, head[i]!.kind, i === 0));
    return `<tr>${cells.join("")}${linked ? `<td>${links[r]}</td>` : ""}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${plain(caption)}"><table class="sortable"><thead><tr>${headings.join("")}${linked ? "<th></th>" : ""}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
}

function cellHtml({ text, value, note, title, best }: Cell, kind: "text" | "number", first: boolean): string {
  const classes = [...(kind === "text" ? ["text"] : []), ...(best ? ["best"] : [])].join(" ");
  const attributes = `${classes ? ` class="${classes}"` : ""}${title === undefined ? "" : ` title="${plain(title)}"`}${kind === "number" && typeof value === "number" ? ` data-v="${value}"` : ""}`;
  const shown = `${plain(text)}${note === undefined ? "" : ` <small>${plain(note)}</small>`}`;
  return first ? `<th scope="row"${attributes}>${shown}</th>` : `<td${attributes}>${shown}</td>`;
}

import { plain } from "./html.js";
import { style } from "./style.js";

/** A whole page: one file, no script, nothing loaded from elsewhere. @param subject what is reported, behind the brand. */
export function page(subject: string, title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${plain(title)}</title><style>${style}
.wide { overflow-x: auto; margin-top: 20px; color: var(--soft); } .wide svg { max-width: none; } .notes li { margin-top: 8px; max-width: 60em; }
</style></head>
<body><main><p class="brand"><b>Faultline</b> ${plain(subject)}</p>
${body}
</main></body></html>
`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) => `<tr>${cells.map((c) => `<${tag}>${plain(c)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${line(head, "th")}</thead><tbody>${rows.map((r) => line(r, "td")).join("")}</tbody></table>`;
}

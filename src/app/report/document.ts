import { plain } from "./html.js";
import { style } from "./style.js";

/**
 * A whole page: one file, nothing loaded from elsewhere, and no script but one that is given.
 *
 * @param subject what is reported, behind the brand. @param title of the window. @param own style and script that this page has beyond the others.
 */
export function page(
  subject: string,
  title: string,
  body: string,
  own: { readonly style?: string; readonly script?: string } = {},
): string {
  const { iso, words } = today();
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${plain(title)}</title>
<style>${style}${own.style ?? ""}</style>
</head>
<body>
<main>
<p class="brand"><span><b>Faultline</b> ${plain(subject)}</span><time datetime="${iso}">${words}</time></p>
${body}
</main>
${own.script === undefined ? "" : `<script>${own.script}</script>\n`}</body>
</html>
`;
}

/** The day on which a report is written; SOURCE_DATE_EPOCH sets it, for reports that must not depend on it. */
function today(): { readonly iso: string; readonly words: string } {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  const date = epoch && /^\d+$/.test(epoch) ? new Date(Number(epoch) * 1000) : new Date();
  const words = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" }).format(
    date,
  );
  return { iso: date.toISOString().slice(0, 10), words };
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string) => `<tr>${cells.map((c) => `<${tag}>${plain(c)}</${tag}>`).join("")}</tr>`;
  return `<table><thead>${line(head, "th")}</thead><tbody>${rows.map((r) => line(r, "td")).join("")}</tbody></table>`;
}

/** What a reader opens who wants to see it. */
export const folded = (summary: string, body: string): string =>
  `<details class="fold"><summary>${plain(summary)}</summary>\n${body}\n</details>`;

/** A picture that fills the window when it is clicked, without a script. @param source a data URI, or a file beside the page. */
export const zoomable = (source: string, alt: string, small: boolean): string =>
  `<label class="zoom"><input type="checkbox" aria-label="${plain(`Enlarge: ${alt}`)}"><img src="${source}" alt="${plain(alt)}"${small ? ' class="small"' : ""} loading="lazy"></label>`;

import { relative } from "node:path";
import { plain } from "../report/html.js";
import { arrow } from "../report/icons.js";
import { reproduce, shortPath } from "../report/words.js";
import type { FoundRun } from "./find.js";
import type { Gallery } from "./gallery.js";
import type { Row } from "./runs.js";

/** Each run by itself, closed until it is opened: the command that makes it again, what the audit found, a few of its images. */
export function runList(
  rows: readonly Row[],
  galleries: readonly Gallery[],
  cached: ReadonlyMap<string, string>,
  folder: string,
): string {
  const pictures = new Map(galleries.map((g) => [g.row.path, g.pictures]));
  const items = rows.map((row) => {
    const link = linkTo(row.path, folder);
    const from = cached.get(row.path);
    return `<details class="fold run"><summary>${plain(row.name)}${row.audit === "failed" ? ' <span class="bad">audit failed</span>' : ""}</summary>
<pre>${plain(reproduce(row.plan, `${row.name}/spec.json`, `${row.name}-again`, shortPath))}</pre>
${from === undefined ? "" : `<p class="soft">It was done before and not done again: its files are those of ${plain(shortPath(from))}.</p>`}
${row.flags.map((f) => `<p><b>${plain(f.name)}</b>: ${plain(f.sentence)}</p>`).join("\n")}
${galleryOf(pictures.get(row.path) ?? [])}
${link === "" ? "" : `<p><a href="${link}">its own report</a></p>`}
</details>`;
  });
  return items.join("\n");
}

/** A run's own report where it lies below the page; a run elsewhere would be a path of this machine. */
export function linkTo(path: string, folder: string): string {
  const to = relative(folder, path);
  return to === "" || to.startsWith("..") || /^([a-z]:|[\\/])/i.test(to) ? "" : plain(`${to.replaceAll("\\", "/")}/report.html`);
}

/** A run's saved images; empty where there are none. */
export function galleryOf(pictures: Gallery["pictures"]): string {
  if (pictures.length === 0) return "";
  const tile = ({ sample, source, before, after }: Gallery["pictures"][number]) =>
    `<figure><img src="${source}" alt="${plain(`Saved image of ${sample}`)}" loading="lazy"><figcaption>${plain(sample)}<br>${plain(before)}${arrow()}<span class="hit">${plain(after)}</span></figcaption></figure>`;
  return `<div class="gallery">${pictures.map(tile).join("\n")}</div>`;
}

/** What of the grid is not in the numbers, and what was not done anew. */
export function ledger(
  unfinished: readonly string[],
  failed: readonly (FoundRun & { readonly name: string })[],
  cached: number,
): string {
  const list = (names: readonly string[]) => `<ul class="notes">${names.map((n) => `<li>${n}</li>`).join("")}</ul>`;
  const closed = (words: string, names: readonly string[]) =>
    names.length === 0 ? "" : `<details class="fold"><summary>${words}</summary>${list(names)}</details>`;
  return `${closed(
    `<span class="bad">${failed.length} failed</span>: they are in no number`,
    failed.map((f) => `${plain(f.name)}: ${plain(f.because ?? "")}`),
  )}
${closed(`<span class="warn">${unfinished.length} not finished</span>: they are in no number`, unfinished.map(plain))}
${cached === 0 ? "" : `<p class="soft">${cached} ${cached === 1 ? "run was" : "runs were"} done before, with the same model, data, attack and version, and not done again.</p>`}`;
}

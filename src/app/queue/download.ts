import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { hashFile } from "../hash-file.js";
import { makeFolder } from "../runs/folders.js";
import { releaseLock, takeLock } from "../runs/lock.js";

/** A file cannot be had from its address: one sentence. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
}

/** Whether a model or data is named by its address. */
export const isUrl = (named: string): boolean => /^https?:\/\//i.test(named);

/** An address for sentences: what stands before @ and after ? may be secret. */
export function shownUrl(address: string): string {
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

/**
 * Brings a file to this machine, once: it lies in `folder` under its hash and its name. A transfer that broke goes on where it stopped, where the server
 * can do that. Where the hash is known it is checked; where not, `sha256` of the answer is what came, and the address is not asked again.
 *
 * @example await download("https://example.org/net.onnx", { sha256, folder: "work/files" })
 * @throws DownloadError where the address gives nothing, or something else than the hash says.
 */
export async function download(
  address: string,
  { sha256, folder, signal }: { readonly sha256?: string | undefined; readonly folder: string; readonly signal?: AbortSignal },
): Promise<{ readonly path: string; readonly sha256: string }> {
  const shown = shownUrl(address);
  const name = basename(decodeURIComponent(new URL(address).pathname)).replaceAll(/[^\w.-]/g, "_") || "file";
  const placeOf = (hash: string) => join(folder, hash.slice(0, 16), name);
  const own = join(folder, createHash("sha256").update(address).digest("hex").slice(0, 16));
  // What an address without a hash gave is written down.
  const note = `${own}.sha256`;
  const here = () => {
    const known = sha256 ?? (existsSync(note) ? readFileSync(note, "utf8").trim() : "");
    return known !== "" && existsSync(placeOf(known)) ? { path: placeOf(known), sha256: known } : undefined;
  };
  const before = here();
  if (before) return before;
  makeFolder(folder);
  const partial = `${own}.${sha256?.slice(0, 16) ?? "any"}.part`;
  const lock = `${partial}.lock`;
  while (takeLock(lock)) await setTimeout(500, undefined, { ...(signal && { signal }) });
  try {
    // Whoever had the lock brought this very file.
    const meanwhile = here();
    if (meanwhile) return meanwhile;
    // Without a hash nobody would see that the rest is of another file.
    if (sha256 === undefined) rmSync(partial, { force: true });
    await transfer(address, shown, partial, signal);
    const settled = await settle(partial, placeOf, shown, sha256);
    if (sha256 === undefined) writeFileSync(note, settled.sha256);
    return settled;
  } finally {
    releaseLock(lock);
  }
}

/** Checks what came and gives it its place. */
async function settle(partial: string, placeOf: (hash: string) => string, shown: string, sha256: string | undefined) {
  const found = await hashFile(partial);
  if (sha256 !== undefined && found !== sha256) {
    rmSync(partial, { force: true });
    throw new DownloadError(`${shown} is another file than was asked for: its SHA-256 is ${found}, and not ${sha256}.`);
  }
  makeFolder(dirname(placeOf(found)));
  renameSync(partial, placeOf(found));
  return { path: placeOf(found), sha256: found };
}

/** Appends to `partial` what is missing of it. */
async function transfer(address: string, shown: string, partial: string, signal: AbortSignal | undefined): Promise<void> {
  const begun = existsSync(partial) ? statSync(partial).size : 0;
  const headers: Record<string, string> = begun > 0 ? { range: `bytes=${begun}-` } : {};
  const answer = await fetch(address, { headers, ...(signal && { signal }) }).catch((error: Error) => {
    if (error.name === "AbortError") throw error;
    const cause = (error.cause as Error | undefined)?.message ?? error.message;
    throw new DownloadError(`${shown} cannot be reached: ${cause || "the connection failed"}.`);
  });
  // All of it was there already.
  if (answer.status === 416 && begun > 0) return;
  if (!answer.ok || !answer.body)
    throw new DownloadError(`${shown} gives nothing: the server answers ${answer.status} ${answer.statusText}.`);
  const goesOn = answer.status === 206 && startOf(answer.headers.get("content-range")) === begun;
  const file = await open(partial, goesOn ? "a" : "w");
  try {
    for await (const chunk of answer.body) await file.writeFile(chunk as Uint8Array);
    await file.sync();
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException;
    if (name === "AbortError" || code === "ENOSPC") throw error;
    throw new DownloadError(`${shown} broke off (${message}); what came is kept, and the next try goes on from there.`);
  } finally {
    await file.close();
  }
}

const startOf = (range: string | null): number => Number(/^bytes (\d+)-/.exec(range ?? "")?.[1] ?? Number.NaN);

/** The headers of a tar archive (POSIX ustar and pax, GNU long names): what lies where. Nothing is unpacked. */
import { DataError } from "../error.js";

export interface TarMember {
  readonly name: string;
  /** Of its bytes in the archive. */
  readonly offset: number;
  readonly size: number;
}

/** How archives are read: `length` bytes from `offset`; fewer at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

export interface TarIndex {
  /** Regular files, in the order of the archive; folders and links are left out. */
  readonly members: TarMember[];
  /** Whether the two empty blocks that end an archive are there. */
  readonly ended: boolean;
}

const block = 512;
/** A name or an extended header above this is damage. */
const longest = 1 << 20;

/**
 * Lists an archive by its headers alone: 512 bytes are read for a member, however large it is.
 *
 * @param length of the archive, in bytes.
 * @throws DataError where it is no tar archive, damaged, or cut short.
 */
export function tarIndex(read: ReadAt, length: number): TarIndex {
  const members: TarMember[] = [];
  let said: { name?: string; size?: number } = {};
  let at = 0;
  while (at + block <= length) {
    const header = read(at, block);
    if (header.every((b) => b === 0)) return { members, ended: true };
    checkHeader(header, at);
    const type = String.fromCharCode(header[156]!);
    const extended = type === "L" || type === "x";
    const size = extended ? numberAt(header, 124, 12) : (said.size ?? numberAt(header, 124, 12));
    const name = said.name ?? nameOf(header);
    if (!Number.isSafeInteger(size)) throw new DataError(`the archive is damaged at byte ${at}: a member without a size.`);
    const offset = at + block;
    if (offset + size > length)
      throw new DataError(
        `the archive is cut short: ${JSON.stringify(shown(name))} ends at byte ${offset + size}, and the file has ${length}.`,
      );
    if (extended) {
      if (size > longest) throw new DataError(`the archive is damaged at byte ${at}: a name of ${size} bytes.`);
      said = { ...said, ...(type === "L" ? { name: text(read(offset, size)) } : paxOf(read(offset, size))) };
    } else if (type !== "g" && type !== "K") {
      if (type === "0" || type === "\0" || type === "7") members.push({ name, offset, size });
      said = {};
    }
    at = offset + Math.ceil(size / block) * block;
  }
  if (at !== length)
    throw new DataError(`the archive is cut short: it ends at byte ${length}, within a ${at < length ? "header" : "member"}.`);
  return { members, ended: false };
}

/** A name for a message: long ones are cut. */
const shown = (name: string): string => (name.length > 80 ? `${name.slice(0, 77)}...` : name);

/** The sum of a header's bytes stands in it, counted with spaces in its own place. */
function checkHeader(header: Uint8Array, at: number): void {
  let sum = 0;
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  if (sum === numberAt(header, 148, 8)) return;
  if (at > 0) throw new DataError(`the archive is damaged at byte ${at}: there is no header of a member.`);
  if (header[0] === 0x1f && header[1] === 0x8b)
    throw new DataError("this is compressed with gzip, so that no single sample can be read: unpack it first (gunzip).");
  throw new DataError("this is no tar archive: it does not begin with the header of one.");
}

/** Octal digits; or, with the first bit set, a binary number (GNU, for files above 8 GiB). NaN where it is neither. */
function numberAt(header: Uint8Array, at: number, length: number): number {
  if (header[at]! & 0x80) {
    let value = header[at]! & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + header[at + i]!;
    return value;
  }
  const digits = text(header.subarray(at, at + length)).trim();
  return digits === "" ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Up to the first zero byte. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function nameOf(header: Uint8Array): string {
  const name = text(header.subarray(0, 100));
  const prefix = text(header.subarray(257, 262)) === "ustar" ? text(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Records of an extended header, "LENGTH KEY=VALUE\n"; `path` and `size` count here. */
function paxOf(bytes: Uint8Array): { name?: string; size?: number } {
  const found: { name?: string; size?: number } = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(text(bytes.subarray(at, space)));
    if (!(length > 0) || at + length > bytes.length) break;
    const record = new TextDecoder().decode(bytes.subarray(space + 1, at + length - 1));
    const [key, value] = [record.slice(0, record.indexOf("=")), record.slice(record.indexOf("=") + 1)];
    if (key === "path") found.name = value;
    else if (key === "size" && /^\d+$/.test(value)) found.size = Number(value);
    at += length;
  }
  return found;
}

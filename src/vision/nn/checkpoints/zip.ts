/**
 * Reading of zip archives whose entries are stored, not compressed, as PyTorch writes them (PKWARE APPNOTE 6.3.9: end record 4.3.16,
 * zip64 4.3.14-15 and 4.5.3, central header 4.3.12, local header 4.3.7). The entries are views of the file, so nothing is allocated
 * whatever sizes a hostile file declares. Checksums are not compared: PyTorch can be told to leave them out.
 */
import { CheckpointError } from "./error.js";

const endRecord = 0x06054b50;
const zip64Locator = 0x07064b50;
const zip64EndRecord = 0x06064b50;
const centralHeader = 0x02014b50;
const localHeader = 0x04034b50;
/** A 16- or 32-bit field with all bits set says that the value stands in the zip64 record. */
const elsewhere16 = 0xffff;
const elsewhere32 = 0xffffffff;

/**
 * The entries of a zip archive by name; calling one gives its content, a view of `bytes`.
 *
 * @throws CheckpointError when the archive is cut short, a name repeats, or any offset or size points outside the file; an entry throws
 *   one when it is encrypted or compressed.
 */
export function readStoredZip(bytes: Uint8Array): Map<string, () => Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { count, start } = findDirectory(view);
  const entries = new Map<string, () => Uint8Array>();
  let at = start;
  for (let i = 0; i < count; i++) {
    expectRecord(view, at, 46, centralHeader, "central directory");
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const commentLength = view.getUint16(at + 32, true);
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > bytes.length) throw damaged("its central directory runs past the end");
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const { stored, size, offset } = sizesOf(view, at, at + 46 + nameLength, extraLength);
    if (entries.has(name)) throw damaged(`it holds "${name}" twice`);
    expectRecord(view, offset, 30, localHeader, `entry "${name}"`);
    const data = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    if (data + stored > bytes.length) throw damaged(`entry "${name}" claims ${stored} bytes, more than the file holds`);
    entries.set(name, () => {
      if (flags & 1) throw new CheckpointError(`The zip entry "${name}" is encrypted; save the checkpoint without a password.`);
      if (method !== 0 || stored !== size) {
        throw new CheckpointError(
          `The zip entry "${name}" is compressed; PyTorch stores entries as they are, so zip it again with -0.`,
        );
      }
      return bytes.subarray(data, data + size);
    });
    at = next;
  }
  return entries;
}

function findDirectory(view: DataView): { count: number; start: number } {
  // The end record is 22 bytes and may be followed by a comment of at most 65535.
  const lowest = Math.max(0, view.byteLength - 22 - 0xffff);
  let end = view.byteLength - 22;
  while (end >= lowest && view.getUint32(end, true) !== endRecord) end--;
  if (end < lowest) throw damaged("its end is missing, as when a download was cut short");
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  if (count !== elsewhere16 && start !== elsewhere32) return { count, start };
  expectRecord(view, end - 20, 20, zip64Locator, "zip64 locator");
  const wide = wholeNumber(view, end - 20 + 8);
  expectRecord(view, wide, 56, zip64EndRecord, "zip64 end record");
  return { count: wholeNumber(view, wide + 32), start: wholeNumber(view, wide + 48) };
}

/** Sizes and offset of a central header at `at`; where they do not fit 32 bits, from its zip64 extra field (id 1), in this order. */
function sizesOf(
  view: DataView,
  at: number,
  extra: number,
  extraLength: number,
): { stored: number; size: number; offset: number } {
  let stored = view.getUint32(at + 20, true);
  let size = view.getUint32(at + 24, true);
  let offset = view.getUint32(at + 42, true);
  for (let field = extra; field + 4 <= extra + extraLength; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue;
    let next = field + 4;
    const take = () => {
      if (next + 8 > extra + extraLength) throw damaged("a zip64 field is too short");
      next += 8;
      return wholeNumber(view, next - 8);
    };
    if (size === elsewhere32) size = take();
    if (stored === elsewhere32) stored = take();
    if (offset === elsewhere32) offset = take();
    break;
  }
  return { stored, size, offset };
}

function expectRecord(view: DataView, at: number, length: number, signature: number, what: string): void {
  if (at < 0 || at + length > view.byteLength || view.getUint32(at, true) !== signature) {
    throw damaged(`its ${what} is not where it should be`);
  }
}

/** A 64-bit field; beyond 2^53 it is rounded, which every bounds check refuses anyway. */
function wholeNumber(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function damaged(what: string): CheckpointError {
  return new CheckpointError(`The zip archive is damaged: ${what}.`);
}

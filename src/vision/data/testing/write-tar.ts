const block = 512;

export interface Packed {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** ustar's kind of a member: "0" a file, "5" a folder, "2" a link. */
  readonly type?: string;
}

/** A ustar archive; names above 100 characters go into a pax header, as Python's tarfile writes them. */
export function writeTar(members: readonly Packed[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const put = ({ name, bytes = new Uint8Array(), type = "0" }: Packed): void => {
    const header = new Uint8Array(block);
    const text = (at: number, value: string) => header.set(new TextEncoder().encode(value), at);
    text(0, name.slice(0, 100));
    text(100, "0000644\0");
    text(124, `${bytes.length.toString(8).padStart(11, "0")}\0`);
    text(148, "        ");
    text(156, type);
    text(257, "ustar\x0000");
    const sum = header.reduce((a, b) => a + b, 0);
    text(148, `${sum.toString(8).padStart(6, "0")}\0 `);
    parts.push(header, bytes, new Uint8Array((block - (bytes.length % block)) % block));
  };
  for (const member of members) {
    if (member.name.length > 100) put({ name: "PaxHeader", type: "x", bytes: paxRecord("path", member.name) });
    put(member);
  }
  parts.push(new Uint8Array(2 * block));
  const whole = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return new TextEncoder().encode(`${length}${rest}`);
}

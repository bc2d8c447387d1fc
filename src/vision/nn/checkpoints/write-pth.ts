import { zipSync } from "fflate";
import { type DataType, describe } from "../../../engine/tensor/tensor.js";
import { CheckpointError } from "./error.js";
import type { StateDict } from "./state-dict.js";

const storageClasses: Readonly<Partial<Record<DataType, string>>> = {
  float32: "FloatStorage",
  float64: "DoubleStorage",
  float16: "HalfStorage",
  int64: "LongStorage",
  int32: "IntStorage",
  int16: "ShortStorage",
  int8: "CharStorage",
  uint8: "ByteStorage",
  bool: "BoolStorage",
};

/** PyTorch aligns storages so that they can be mapped into memory. */
const alignment = 64;

/**
 * Writes a checkpoint that `torch.load` reads (PyTorch 1.6 or newer, also with `weights_only=True`): a state dict, or with `topKey` a
 * dict that holds it under that key. The same input gives the same bytes on every platform.
 *
 * @example await writeFile("weights.pth", writePth(state, "params"))
 * @throws CheckpointError for unsigned types beyond 8 bits, which PyTorch's storages lack, and for more than 4 GiB.
 */
export function writePth(tensors: StateDict, topKey?: string): Uint8Array {
  const files: [name: string, data: Uint8Array][] = [
    ["data.pkl", pickle(tensors, topKey)],
    ["byteorder", new TextEncoder().encode("little")],
  ];
  for (const t of tensors.values()) {
    files.push([`data/${files.length - 2}`, new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength)]);
  }
  files.push(["version", new TextEncoder().encode("3\n")]);
  if (files.reduce((sum, [, data]) => sum + data.length + 256, 0) > 0xffffffff) {
    throw new CheckpointError("A .pth file of more than 4 GiB is not supported; save as .safetensors instead.");
  }

  const archive: Parameters<typeof zipSync>[0] = {};
  let at = 0;
  for (const [short, data] of files) {
    const name = `archive/${short}`;
    // Local header (30 bytes), name, and an extra field of 4 bytes and padding, with the identifier "FB" that PyTorch uses.
    const unpadded = at + 30 + name.length + 4;
    const padding = (alignment - (unpadded % alignment)) % alignment;
    // Zip times are local times without a zone: this one is the same everywhere.
    archive[name] = [data, { level: 0, mtime: new Date(1980, 0, 1), extra: { 16966: new Uint8Array(padding) } }];
    at = unpadded + padding + data.length;
  }
  return zipSync(archive);
}

/** A protocol 2 pickle without memo: opcodes as Python's pickletools module documents them. */
function pickle(tensors: StateDict, topKey: string | undefined): Uint8Array {
  const parts: Uint8Array[] = [];
  const encoder = new TextEncoder();
  const code = (text: string) => parts.push(encoder.encode(text));
  const text = (value: string) => {
    const encoded = encoder.encode(value);
    parts.push(little(0x58, encoded.length, 4), encoded);
  };
  // LONG1 with 8 bytes where the 4 of BININT do not suffice.
  const whole = (value: number) =>
    parts.push(value < 2 ** 31 ? little(0x4a, value, 4) : Uint8Array.of(0x8a, ...little(8, value, 8)));
  const tuple = (values: readonly number[]) => {
    code("(");
    for (const v of values) whole(v);
    code("t");
  };

  parts.push(Uint8Array.of(0x80, 2));
  if (topKey !== undefined) {
    code("}");
    text(topKey);
  }
  code("}(");
  let key = 0;
  for (const [name, t] of tensors) {
    const storage = storageClasses[t.type];
    if (!storage) {
      throw new CheckpointError(
        `Parameter "${name}" is ${describe(t)}, which PyTorch checkpoints cannot hold; save as .safetensors.`,
      );
    }
    text(name);
    code("ctorch._utils\n_rebuild_tensor_v2\n((");
    text("storage");
    code(`ctorch\n${storage}\n`);
    text(String(key++));
    text("cpu");
    whole(t.data.length);
    code("tQ");
    whole(0);
    tuple(t.shape);
    tuple(t.shape.map((_, i) => t.shape.slice(i + 1).reduce((product, d) => product * d, 1)));
    parts.push(Uint8Array.of(0x89));
    code("ccollections\nOrderedDict\n)RtR");
  }
  code("u");
  if (topKey !== undefined) code("s");
  code(".");
  const bytes = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const p of parts) {
    bytes.set(p, at);
    at += p.length;
  }
  return bytes;
}

/** A leading byte and a little-endian whole number of 4 or 8 bytes. */
function little(lead: number, value: number, width: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(1 + width);
  bytes[0] = lead;
  new DataView(bytes.buffer).setUint32(1, value % 2 ** 32, true);
  if (width === 8) new DataView(bytes.buffer).setUint32(5, Math.floor(value / 2 ** 32), true);
  return bytes;
}

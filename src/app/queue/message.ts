import { z } from "zod";

const about = { key: z.string(), worker: z.string() };
const relative = z
  .string()
  .regex(/^(?!\/)[^\\\0]+$/)
  .refine((path) => path.split("/").every((part) => part !== "" && part !== "." && part !== ".."), "leads out of its folder");

/** A file of a run: where it lies within the run's folder. */
const fileSchema = z.strictObject({ path: relative, size: z.number().int().nonnegative(), sha256: z.string() });
export type SentFile = z.infer<typeof fileSchema>;

/**
 * What a worker tells the coordinator of a cell. A finished run comes in parts, the files one after the other; `delivery` tells parts of one worker from
 * those of another that does the same cell.
 */
const messageSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("started"), ...about }),
  z.strictObject({ kind: z.literal("progress"), ...about, done: z.number(), total: z.number(), note: z.string() }),
  z.strictObject({
    kind: z.literal("part"),
    ...about,
    delivery: z.string().regex(/^[\w-]+$/),
    part: z.number(),
    files: z.array(fileSchema),
  }),
  /** `of` says what is at fault: the cell (no worker could do it), the run (others would hardly do better), the machine (it lacks something). */
  z.strictObject({
    kind: z.literal("failed"),
    ...about,
    of: z.enum(["the cell", "the run", "the machine"]),
    sentence: z.string(),
  }),
]);
export type Message = z.infer<typeof messageSchema>;
export type Part = Extract<Message, { kind: "part" }>;

/** A message as bytes: the length of the JSON, big-endian in 4 bytes, the JSON, and what follows is the part of a file. */
export function encode(message: Message, payload: Uint8Array = new Uint8Array()): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, payload]);
}

/** Undefined for what is no message: what lies in Redis was written by anybody who may write there. */
export function decode(bytes: Buffer): { readonly message: Message; readonly payload: Buffer } | undefined {
  if (bytes.length < 4) return undefined;
  const end = 4 + bytes.readUInt32BE();
  try {
    const message = messageSchema.safeParse(JSON.parse(bytes.toString("utf8", 4, end)));
    return message.success ? { message: message.data, payload: bytes.subarray(end) } : undefined;
  } catch {
    return undefined;
  }
}

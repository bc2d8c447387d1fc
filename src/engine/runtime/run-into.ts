import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import type { OrtModule } from "./host.js";

/**
 * onnxruntime-node (1.30) writes an output into the array that it is given for it, and then returns a copy in a new array all the same: half
 * a millisecond for each MiB, most of it page faults. Copies are made after the run, in the order of the model's outputs, and outputs that
 * are no tensors are refused. So a model is given one more output before all others, an empty sequence: when that is asked for as well, the
 * run is complete and all given arrays are filled when the refusal comes, and nothing has been copied.
 *
 * None of this is promised anywhere: `probePlacement` tries it when the engine starts, and package.json pins the version.
 */
const sequence = "faultline.not-a-tensor";

/** A message of ONNX's format: [field number, number or bytes]. */
const message = (...fields: readonly (readonly [number, number | string | readonly number[]])[]): number[] =>
  fields.flatMap(([field, value]) => {
    if (typeof value === "number") return [field << 3, value];
    const bytes = typeof value === "string" ? [...new TextEncoder().encode(value)] : value;
    return [(field << 3) | 2, bytes.length, ...bytes];
  });

// ModelProto { graph { node { output, op_type } output { name, type { sequence_type { elem_type { tensor_type { float } } } } } } }
const float = message([1, message([1, 1])]);
const output = message([1, sequence], [2, message([4, message([1, float])])]);

/**
 * Makes a model have the additional output, put before its bytes: messages of the format merge when they are written one after the other.
 * The model must be of opset 11 or newer.
 */
export const sequencePrefix: Uint8Array = Uint8Array.from(
  message([7, message([1, message([2, sequence], [4, "SequenceEmpty"])], [12, output])]),
);

export const hasSequence = (session: InferenceSession): boolean => session.outputNames[0] === sequence;

/** What a model tells of its outputs, without the additional one. */
export const ownOutputs = (session: InferenceSession): readonly InferenceSession.ValueMetadata[] =>
  session.outputMetadata.slice(hasSequence(session) ? 1 : 0);

/** Runs a session with `sequencePrefix` and leaves its results in the tensors that are given for them; throws what the run itself throws. */
export type RunInto = (
  session: InferenceSession,
  feeds: InferenceSession.OnnxValueMapType,
  results: Readonly<Record<string, OrtTensor>>,
) => Promise<void>;

/**
 * Tries on a model with a known result whether this ONNX Runtime leaves results in given arrays and copies nothing; undefined where it does
 * not. How it refuses the sequence is learned here, not known beforehand: a later run is complete exactly when it ends in the same way.
 */
export async function probePlacement({ InferenceSession, Tensor }: OrtModule): Promise<RunInto | undefined> {
  const session = await InferenceSession.create(trial, { executionProviders: ["cpu"], logSeverityLevel: 4 }).catch(
    () => undefined,
  );
  if (!session) return undefined;
  try {
    const given = Float32Array.of(Number.NaN, Number.NaN);
    const x = new Tensor("float32", Float32Array.of(1, -2), [2]);
    const run = (y: OrtTensor) => session.run({ x }, { y, [sequence]: null });
    const end = await run(new Tensor("float32", given, [2])).catch((error: unknown) => messageOf(error));
    if (given[0] !== -1 || given[1] !== 2) return undefined;
    if (typeof end === "string") return untilRefusal(end);
    return end.y?.data === given ? withoutRefusal : undefined;
  } finally {
    await session.release();
  }
}

const untilRefusal =
  (refusal: string): RunInto =>
  async (session, feeds, results) => {
    try {
      await session.run(feeds, { ...results, [sequence]: null });
    } catch (error) {
      if (messageOf(error) !== refusal) throw error;
    }
  };

const withoutRefusal: RunInto = async (session, feeds, results) => {
  await session.run(feeds, results);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

// ModelProto { ir_version, opset_import { version }, graph { node { x -> y, Neg }, name, input x, output y } }, both float[2]
const value = (name: string) => message([1, name], [2, message([1, message([1, 1], [2, message([1, message([1, 2])])])])]);
const negation = message([1, message([1, "x"], [2, "y"], [4, "Neg"])], [2, "trial"], [11, value("x")], [12, value("y")]);
const trial = Uint8Array.from([...sequencePrefix, ...message([1, 8], [8, message([2, 17])], [7, negation])]);

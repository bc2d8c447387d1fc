import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";

/**
 * onnxruntime-node (1.30) writes an output into the array that it is given for it, and then returns a copy in a new array all the same: half
 * a millisecond for each MiB, most of it page faults. Copies are made after the run, in the order of the model's outputs, and outputs that
 * are no tensors are refused. So a model is given one more output before all others, an empty sequence: when that is asked for as well, the
 * run is complete and all given arrays are filled when the refusal comes, and nothing has been copied.
 */
const sequence = "faultline.not-a-tensor";
const refusal = "Non tensor type";

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
const prefix = Uint8Array.from(message([7, message([1, message([2, sequence], [4, "SequenceEmpty"])], [12, output])]));

/** The model with the additional output. Messages of the format merge when they are written one after the other; this one comes first. */
export function withSequence(model: Uint8Array): Uint8Array {
  const extended = new Uint8Array(prefix.length + model.length);
  extended.set(prefix);
  extended.set(model, prefix.length);
  return extended;
}

export const hasSequence = (session: InferenceSession): boolean => session.outputNames[0] === sequence;

/** What a model tells of its outputs, without the additional one. */
export const ownOutputs = (session: InferenceSession): readonly InferenceSession.ValueMetadata[] =>
  session.outputMetadata.slice(hasSequence(session) ? 1 : 0);

/**
 * Runs a session of a model `withSequence` and leaves its results in the tensors that are given for them.
 *
 * @throws what ONNX Runtime throws when the run itself fails.
 */
export async function runInto(
  session: InferenceSession,
  feeds: InferenceSession.OnnxValueMapType,
  results: Readonly<Record<string, OrtTensor>>,
): Promise<void> {
  try {
    await session.run(feeds, { ...results, [sequence]: null });
  } catch (error) {
    if (!(error instanceof Error && error.message.includes(refusal))) throw error;
  }
}

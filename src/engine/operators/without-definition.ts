/**
 * Operators of ONNX's own list (ai.onnx) that have no definition in the table and are not read as others either, and what becomes of them.
 * Together with the table and the conversions it covers the whole list; a test holds it to that.
 */
const branches =
  "a branch or body whose condition or length is constant is put in its place; decided when the model runs, it stays, and its gradient is a branch or loop too";
const sequence = "it works on a list of tensors; gradients go through tensors only";
const text = "it works on text, and nothing in a picture is text";

export const operatorsWithoutDefinition: Readonly<Record<string, string>> = {
  If: branches,
  Loop: branches,
  Scan: "its body is put in its place, once for each entry",
  ConcatFromSequence: sequence,
  SequenceAt: sequence,
  SequenceConstruct: sequence,
  SequenceEmpty: sequence,
  SequenceErase: sequence,
  SequenceInsert: sequence,
  SequenceLength: sequence,
  SequenceMap: sequence,
  SplitToSequence: sequence,
  Optional: "a value that may be missing is not a tensor; export the model without optional values",
  OptionalGetElement: "a value that may be missing is not a tensor; export the model without optional values",
  OptionalHasElement: "a value that may be missing is not a tensor; export the model without optional values",
  ImageDecoder: "it reads compressed files; feed the picture",
  RegexFullMatch: text,
  StringConcat: text,
  StringNormalizer: text,
  StringSplit: text,
  TfIdfVectorizer: text,
};

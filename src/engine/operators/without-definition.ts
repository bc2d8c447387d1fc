/**
 * Operators of ONNX's own list (ai.onnx) that have no definition in the table and are not read as others either, and what becomes of them.
 * Together with the table and the conversions it covers the whole list; a test holds it to that.
 */
const branches =
  "a branch or body whose condition or length is constant is put in its place; decided when the model runs, it stays, and its gradient is a branch or loop too; what a loop stacks then has one where the file states how many entries";
const sequence =
  "lists of tensors are followed as the file is read, where places in them are constant; what is put in and taken out are tensors";
const optional = "followed as the file is read: a tensor that is there stands for itself";
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
  SequenceMap: "it works on a list of tensors, a part for each; export the model without it",
  SplitToSequence: sequence,
  Optional: optional,
  OptionalGetElement: optional,
  OptionalHasElement: optional,
  ImageDecoder: "it reads compressed files; feed the picture",
  RegexFullMatch: text,
  StringConcat: text,
  StringNormalizer: text,
  StringSplit: text,
  TfIdfVectorizer: text,
};

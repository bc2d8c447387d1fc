import { defineComposite, flag, int, type Operator, required, string } from "../../graph/operator.js";
import { isBfloat16 } from "../../onnx/bfloat16.js";
import { dataTypeOf, elementTypeName } from "../../onnx/tensor-data.js";
import { cast, roundedToBfloat16 } from "../elementwise/cast.js";
import { CastLike } from "../elementwise/cast-like.js";
import { emit } from "../emit.js";
import { ScatterElements } from "../indexing/scatter-elements.js";
import { newest } from "./newest.js";

/** What newer opsets added to types, and types that Faultline widens (bfloat16 to float32; a Cast to it rounds). */

const castForm = defineComposite({
  name: "Cast",
  opsets: [7, newest],
  inputs: ["input"],
  outputs: ["output"],
  attributes: { to: required(int()), saturate: flag(1), round_mode: string("up", ["up", "down", "nearest"]) },
  decompose: ({ inputs: [x], attributes: { to }, fail }) => {
    const [type, name] = [dataTypeOf(to), elementTypeName(to)];
    if (type === undefined || name === "int4" || name === "uint4")
      return fail(`it casts to ${name}, which Faultline does not work on`);
    return [isBfloat16(to) ? roundedToBfloat16(x) : cast(x, type)];
  },
});

const castLikeForm = defineComposite({
  name: "CastLike",
  opsets: [19, newest],
  inputs: ["input", "target_type"],
  outputs: ["output"],
  attributes: { saturate: flag(1), round_mode: string("up", ["up", "down", "nearest"]) },
  decompose: ({ inputs }) => [emit(CastLike, inputs)],
});

const scatterForm = defineComposite({
  name: "Scatter",
  opsets: [9, 10],
  inputs: ["data", "indices", "updates"],
  outputs: ["output"],
  attributes: { axis: int(0) },
  decompose: ({ inputs, attributes }) => [emit(ScatterElements, inputs, attributes)],
});

/** Images in files and texts. */
const refused = ["ImageDecoder", "RegexFullMatch", "StringConcat", "StringSplit"].map((name) =>
  defineComposite({
    name,
    opsets: [20, newest],
    inputs: ["...inputs"],
    outputs: ["...outputs"],
    attributes: { pixel_format: string("RGB"), pattern: string(""), delimiter: string(""), maxsplit: int() },
    decompose: ({ fail }) => fail("it works on images in files or on texts, and Faultline works on numbers"),
  }),
);

export const typeForms: readonly Operator[] = [castForm, castLikeForm, scatterForm, ...refused];

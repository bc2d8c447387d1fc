import type { Operator } from "../graph/operator.js";
import { canonicalOpset } from "../onnx/model.js";
import { activationOperators } from "./activation/index.js";
import { attentionOperators } from "./attention/index.js";
import { convolutionOperators } from "./convolution/index.js";
import { elementwiseOperators } from "./elementwise/index.js";
import { operatorForms } from "./forms/index.js";
import { generatorOperators } from "./generator/index.js";
import { indexingOperators } from "./indexing/index.js";
import { layoutOperators } from "./layout/index.js";
import { linearOperators } from "./linear/index.js";
import { logicOperators } from "./logic/index.js";
import { lossOperators } from "./loss/index.js";
import { microsoftOperators } from "./microsoft/index.js";
import { normalizationOperators } from "./normalization/index.js";
import { poolingOperators } from "./pooling/index.js";
import { quantizationOperators } from "./quantization/index.js";
import { recurrentOperators } from "./recurrent/index.js";
import { reductionOperators } from "./reduction/index.js";
import { resamplingOperators } from "./resampling/index.js";

export * from "./activation/index.js";
export * from "./attention/index.js";
export * from "./convolution/index.js";
export * from "./elementwise/index.js";
export { emit, emitAll, type Operand, scalar } from "./emit.js";
export * from "./generator/index.js";
export * from "./indexing/index.js";
export * from "./layout/index.js";
export * from "./linear/index.js";
export * from "./logic/index.js";
export { stopGradient, withGradient } from "./marker.js";
export * from "./normalization/index.js";
export * from "./pooling/index.js";
export * from "./quantization/index.js";
export * from "./recurrent/index.js";
export * from "./reduction/index.js";
export * from "./resampling/index.js";

/** Every operator that Faultline knows, by ONNX name, grouped as the folders are. */
export const operatorFamilies = {
  elementwise: elementwiseOperators,
  activation: activationOperators,
  reduction: reductionOperators,
  linear: linearOperators,
  convolution: convolutionOperators,
  pooling: poolingOperators,
  normalization: normalizationOperators,
  resampling: resamplingOperators,
  attention: attentionOperators,
  recurrent: recurrentOperators,
  layout: layoutOperators,
  indexing: indexingOperators,
  logic: logicOperators,
  quantization: quantizationOperators,
  generator: generatorOperators,
  loss: lossOperators,
  microsoft: microsoftOperators,
} satisfies Record<string, Record<string, Operator>>;

const keyOf = ({ domain, name }: Pick<Operator, "domain" | "name">): string => `${domain}.${name}`;

const table: ReadonlyMap<string, Operator> = new Map(
  Object.values(operatorFamilies).flatMap((family) =>
    Object.values<Operator>(family).map((operator) => [keyOf(operator), operator]),
  ),
);

const forms = new Map<string, readonly Operator[]>();
for (const form of operatorForms) forms.set(keyOf(form), [...(forms.get(keyOf(form)) ?? []), form]);

/**
 * The operator of that ONNX name and domain (default: ONNX's own), or undefined where Faultline does not know it.
 *
 * @param opset in whose form it is wanted; default 18.
 */
export function findOperator(name: string, domain = "", opset: number = canonicalOpset): Operator | undefined {
  const key = keyOf({ domain, name });
  const form = forms.get(key)?.find(({ opsets: [from, to] = [0, 0] }) => from <= opset && opset <= to);
  return form ?? table.get(key);
}

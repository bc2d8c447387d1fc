import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Operator } from "../src/engine/graph/operator.js";
import { allCases } from "../src/engine/operators/cases.js";
import { operatorForms } from "../src/engine/operators/forms/index.js";
import { operatorFamilies } from "../src/engine/operators/index.js";
import { originals } from "../src/engine/operators/original-cases.js";
import { operatorsWithoutDefinition } from "../src/engine/operators/without-definition.js";
import type { GoldenCase } from "../src/engine/testing/golden-case.js";
import { optionsOf, signaturesOf } from "./signatures.js";

/**
 * Writes docs/operators.md from the operator table: `npx tsx tools/operators-table.ts`. A test checks that the committed page is current.
 */
export const tablePath = new URL("../docs/operators.md", import.meta.url);

const manifests = ["gradients", "newer-operators"].map(
  (folder) => new URL(`../fixtures/golden/${folder}/manifest.json`, import.meta.url),
);

/** What the option `rounding` decides. */
const rounding: Readonly<Record<string, string>> = {
  Round: "zero, or straight-through on request",
  QuantizeLinear: "straight-through in the representable range, or zero on request",
  DynamicQuantizeLinear: "straight-through, or zero on request",
};

export function operatorsTable(): string {
  const golden = manifests.flatMap((manifest) => JSON.parse(readFileSync(manifest, "utf8")) as readonly GoldenCase[]);
  const families: [string, Readonly<Record<string, Operator>>][] = Object.entries(operatorFamilies);
  const row = ({ name, inputs, gradient, domain, decompose }: Operator) => {
    const title = domain === "" ? name : `${domain}.${name}`;
    return [
      "",
      title,
      inputs.join(", "),
      typeof gradient === "function"
        ? (rounding[name] ?? "yes")
        : decompose
          ? "that of its parts"
          : `${gradient.kind === "zero" ? "zero" : "no"}: ${gradient.because}`,
      [...allCases, ...originals].filter((c) => c.operator === title).length || "",
      golden.filter((c) => c.ops.includes(name)).length || "",
      "",
    ]
      .join(" | ")
      .trim();
  };
  const sections = families.map(([family, operators]) =>
    [
      `## ${family}`,
      "",
      "| operator | inputs | gradient | finite differences | golden |",
      "| --- | --- | --- | --- | --- |",
      ...Object.entries(operators)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, operator]) => row(operator)),
      "",
      ...inTypeScript(family),
    ].join("\n"),
  );
  const count = families.reduce((n, [, operators]) => n + Object.keys(operators).length, 0);
  return [preface(count), ...sections, onReading(), withoutDefinition()].join("\n");
}

/** How the operators of a family are put into a graph. */
function inTypeScript(family: string): string[] {
  const signatures = signaturesOf(family);
  if (signatures.length === 0) return [];
  return ["```ts", ...signatures.map(({ text }) => text), ...optionsOf(signatures), "```", ""];
}

/** Operators that only other opsets have, and become others when a model is read. */
function onReading(): string {
  const defined = new Set(Object.values(operatorFamilies).flatMap((family) => Object.keys(family)));
  const names = [...new Set(operatorForms.map((form) => form.name))].filter(
    (name) => !defined.has(name) && !(name in operatorsWithoutDefinition),
  );
  return `## Read as other operators

${names.sort().join(", ")}
`;
}

function withoutDefinition(): string {
  const rows = Object.entries(operatorsWithoutDefinition).sort(([a], [b]) => (a < b ? -1 : 1));
  return `## Not in the table

The rest of ONNX's list (ai.onnx, opset 1 to 24). The operators of ai.onnx.ml (tree ensembles and the like) and of ai.onnx.preview.training are
outside what Faultline is for.

| operator | why |
| --- | --- |
${rows.map(([name, because]) => `| ${name} | ${because} |`).join("\n")}
`;
}

const preface = (count: number) => `# Operators

The ${count} operators that Faultline differentiates, or knows to be without a gradient: those of opset 18, newer ones and ONNX Runtime's own.
Models of opset 7 to 24 are read. An operator that is not listed runs and is carried along, but no gradient passes through it.

- **gradient**: *yes*: a rule that is itself made of standard operators. *zero*: piecewise constant. *no*: a path through it is an error.
  *that of its parts*: opset 18 does not have the operator, and it is taken apart into those that it has.
- **finite differences**: modes that are compared with central differences, with and without ONNX Runtime's optimizations.
- **golden**: files in fixtures/golden that contain it, compared with PyTorch in float64.

**Quantized products that saturate.** On x86 processors with AVX2 or AVX-512 but without VNNI, ONNX Runtime adds pairs of products of uint8 inputs
and int8 weights in 16 bits, which saturate (MatMulInteger, ConvInteger, QLinearMatMul, QLinearConv, and QuantizeLinear/DequantizeLinear pairs
that it fuses into these at level *extended* and above): the model's own predictions then differ from those of other processors. Quantize with
\`reduce_range=True\` (weights of 7 bits, |w| <= 64, cannot saturate), or with uint8 weights. Gradients are unaffected: they are computed in
floating point.

Under each table stand the functions that add the operators to a graph, all of them exports of the package: \`conv(x, w, { pads: [1, 1, 1, 1] })\` is
a \`Value\`, and its shape is known at once. Where an \`Operand\` is taken, a plain number serves as well. [An example](gradients.md).

A trailing \`?\` marks an optional input, a leading \`...\` any number of them. Generated by tools/operators-table.ts.
`;

if (fileURLToPath(import.meta.url) === process.argv[1]) writeFileSync(tablePath, operatorsTable());

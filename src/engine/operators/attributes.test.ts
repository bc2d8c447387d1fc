import { describe, expect, it } from "vitest";
import { completeAttributes } from "../graph/attributes.js";
import type { AttributeSpec, Operator } from "../graph/operator.js";
import { operatorForms } from "./forms/index.js";
import { operatorFamilies } from "./index.js";

/** Texts that may say anything. */
const free = ["equation", "value_string", "pattern", "delimiter", "pixel_format"];

const operators = [
  ...Object.values<Readonly<Record<string, Operator>>>(operatorFamilies).flatMap((family) => Object.values(family)),
  ...operatorForms,
];
const attributes = operators.flatMap((operator) =>
  Object.entries(operator.attributes).map(([name, spec]) => {
    const form = operator.opsets ? ` of opset ${operator.opsets[0]}` : "";
    return { title: `${operator.domain}.${operator.name}${form}: ${name}`, operator, name, spec };
  }),
);

/** Something of another kind, for each kind. */
const wrongKind = (kind: AttributeSpec["kind"]): unknown => (kind === "int" || kind === "float" || kind === "string" ? [1] : 1);

function failure(operator: Operator, given: Record<string, unknown>): string | undefined {
  try {
    completeAttributes(operator, given, (message) => {
      throw new Error(message);
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

describe("attributes", () => {
  it("that are texts say what they may be", () => {
    const open = attributes.filter(({ name, spec }) => spec.kind === "string" && !spec.choices && !free.includes(name));
    expect(open.map(({ title }) => title)).toEqual([]);
  });

  it("of another kind are refused, with what they are and what they must be", () => {
    for (const { title, operator, name, spec } of attributes)
      expect(failure(operator, { [name]: wrongKind(spec.kind) }), title).toMatch(
        new RegExp(`^its attribute ${name} is .+, where it must be a `),
      );
  });

  it("that are none of their choices are refused, with all choices", () => {
    const chosen = attributes.filter(({ spec }) => spec.choices);
    expect(chosen.length).toBeGreaterThan(80);
    for (const { title, operator, name, spec } of chosen) {
      const message = failure(operator, { [name]: spec.kind === "string" ? "nonsense" : 77 });
      expect(message, title).toMatch(new RegExp(`^its attribute ${name} is ("nonsense"|77), where it must be one of `));
      for (const choice of spec.choices!) expect(message).toContain(String(choice));
    }
  });

  it("of names that every object knows are as unknown as others", () => {
    const relu = operatorFamilies.activation.Relu;
    for (const name of ["constructor", "toString", "hasOwnProperty"])
      expect(failure(relu, { [name]: 1 })).toBe(`it has no attribute "${name}"; it has none`);
    expect(failure(relu, Object.fromEntries([["__proto__", 1]]))).toBe('it has no attribute "__proto__"; it has none');
  });
});

import type { z } from "zod";
import { nearest } from "../../engine/onnx/nearest.js";

/** A field that is not as the schema says, and a phrase: what is allowed there and what was found. */
export interface Problem {
  /** Its names from the top, with points between; "top level" for the whole. */
  readonly field: string;
  readonly message: string;
}

/** Data that are as the schema says, or every field that is not. */
export type Checked<T> = { readonly data: T } | { readonly problems: readonly Problem[] };

/**
 * Checks a value that was read from outside (a file that somebody wrote) against a schema. Where a schema has the metadata `allowed`,
 * that says in words what it takes.
 *
 * @example check(z.strictObject({ steps: z.number().int() }), { stepz: 3 })
 * // { problems: [{ field: "steps", message: "is missing; it must be a whole number" },
 * //   { field: "top level", message: 'there is no field "stepz" (did you mean "steps"?); fields are steps' }] }
 */
export function check<S extends z.ZodType>(schema: S, value: unknown): Checked<z.output<S>> {
  const parsed = schema.safeParse(value, { error: (issue) => phrase(issue) });
  return parsed.success ? { data: parsed.data } : { problems: problems(parsed.error.issues) };
}

/**
 * Problems as one sentence's worth: of many the first few, with how many more there are.
 *
 * @param nameOf what a field is called, where it is not by its own name.
 */
export function fewProblems(problems: readonly Problem[], nameOf: (field: string) => string = (field) => field): string {
  const words = [...new Set(problems.map(({ field, message }) => `${nameOf(field)}: ${message}`))];
  return words.length <= 5 ? words.join("; ") : `${words.slice(0, 4).join("; ")}; and ${words.length - 4} more`;
}

function problems(issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[] = []): Problem[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      // Of a choice, the branch that came furthest is what was meant; where none came inside, the choice itself is explained.
      const deepest = issue.errors.reduce((a, b) => (reach(b) > reach(a) ? b : a));
      if (reach(deepest) > 0) return problems(deepest, path);
    }
    return { field: path.join(".") || "top level", message: issue.message };
  });
}

/** A field unknown to a branch says that the branch was entered, as a path does; a choice within a choice is looked into. */
const reach = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(
    0,
    ...issues.map((i) => {
      const within = i.code === "invalid_union" ? Math.max(0, ...i.errors.map(reach)) : 0;
      return i.path.length + (i.code === "unrecognized_keys" ? 1 : 0) + within;
    }),
  );

function phrase(issue: z.core.$ZodRawIssue): string {
  const owner = (issue.schema ?? issue.inst) as z.core.$ZodType;
  if (issue.code === "unrecognized_keys") {
    const fields = Object.keys((owner as z.ZodObject).shape);
    const unknown = issue.keys.map((key) => {
      const [like] = nearest(key, fields);
      return `"${key}"${like === undefined ? "" : ` (did you mean "${like}"?)`}`;
    });
    return `there is no field ${unknown.join(" and no ")}; fields are ${fields.join(", ")}`;
  }
  let found = issue.input;
  let allowed = describe(owner);
  if (issue.code === "invalid_union" && issue.discriminator !== undefined) {
    allowed = oneOf((issue.options ?? []) as readonly unknown[]);
    found = (found as Record<string, unknown>)[issue.discriminator];
  }
  return found === undefined ? `is missing; it must be ${allowed}` : `must be ${allowed}, not ${shown(found)}`;
}

/** What a schema takes, in words: "one of l_inf, l_2", "a whole number above 0". */
export function describe(schema: z.core.$ZodType): string {
  const allowed = (schema as z.ZodType).meta()?.allowed;
  if (typeof allowed === "string") return allowed;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "number":
      return describeNumber(schema as z.ZodNumber);
    case "string":
      return "a text";
    case "boolean":
      return "true or false";
    case "enum":
      return oneOf(Object.values(def.entries));
    case "literal":
      return oneOf(def.values);
    case "array":
      return `a list, each ${describe(def.element)}`;
    case "tuple":
      return `a list of ${def.items.length}, each ${[...new Set(def.items.map(describe))].join(" or ")}`;
    case "object":
      return `an object with ${Object.keys(def.shape).join(", ")}`;
    case "union":
      return def.options.map(describe).join(", or ");
    case "optional":
    case "default":
      return describe(def.innerType);
    case "pipe":
      return describe(def.in);
    default:
      return `of type ${def.type}`;
  }
}

function describeNumber(schema: z.ZodNumber): string {
  const bounds: string[] = [];
  for (const { _zod } of schema.def.checks ?? []) {
    const rule = _zod.def as { readonly check: string; readonly inclusive?: boolean; readonly value?: number };
    if (rule.check === "greater_than") bounds.push(`${rule.inclusive ? "at least" : "above"} ${rule.value}`);
    if (rule.check === "less_than") bounds.push(`${rule.inclusive ? "at most" : "below"} ${rule.value}`);
  }
  return [schema.format === "safeint" ? "a whole number" : "a number", bounds.join(" and ")].filter(Boolean).join(" ");
}

const oneOf = (values: readonly unknown[]): string => (values.length === 1 ? `"${values[0]}"` : `one of ${values.join(", ")}`);

function shown(value: unknown): string {
  // (Of a function there is no JSON.)
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

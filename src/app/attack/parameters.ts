import type { z } from "zod";
import type { Attack, AttackDefinition } from "../../methods/attacks/definition.js";
import type { ParameterNotes } from "../../methods/attacks/parameters.js";
import { describe } from "../../vision/spec/check.js";
import { flagOf } from "./flag-of.js";

// An attack's parameters as they are typed and shown, from its schema.

/** One parameter of one attack. */
export interface Field {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly notes: Partial<ParameterNotes>;
  readonly kind: Kind;
  /** The value where nothing is said; undefined where there is none. */
  readonly initial: unknown;
}

/** How a parameter is typed. */
type Kind =
  | { readonly kind: "number" | "whole number" | "text" | "true or false" }
  | { readonly kind: "choice"; readonly of: readonly string[] }
  | { readonly kind: "list"; readonly each: Kind };

export const fieldsOf = ({ parameters }: Pick<AttackDefinition, "parameters">): readonly Field[] =>
  Object.entries(parameters.shape as Readonly<Record<string, z.ZodType>>).map(([name, schema]) => ({
    name,
    schema,
    notes: (schema.meta() ?? {}) as Partial<ParameterNotes>,
    kind: kindOf(schema),
    initial: schema.safeParse(undefined).data,
  }));

function kindOf(schema: z.core.$ZodType): Kind {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "default":
    case "prefault":
    case "optional":
    case "nullable":
      return kindOf(def.innerType);
    case "number":
      return { kind: (schema as z.ZodNumber).format === "safeint" ? "whole number" : "number" };
    case "enum":
      return { kind: "choice", of: Object.values(def.entries).map(String) };
    case "boolean":
      return { kind: "true or false" };
    case "array":
      return { kind: "list", each: kindOf(def.element) };
    default:
      return { kind: "text" };
  }
}

/** `--step-size <length>`, as help shows it. */
export function usageOf({ name, notes, kind }: Field): string {
  const many = kind.kind === "list";
  const { kind: each } = many ? kind.each : kind;
  const usual = each === "number" ? "x" : each === "whole number" ? "n" : each === "choice" ? "kind" : "text";
  return `${flagOf(name)} <${notes.placeholder ?? usual}${many ? "..." : ""}>`;
}

/** What a flag's text means, or a phrase: what to write. */
export function readField({ schema, kind }: Field, text: string | readonly string[]): { value: unknown } | { problem: string } {
  const value =
    typeof text === "string" ? readAs(kind, text) : text.map((each) => readAs(kind.kind === "list" ? kind.each : kind, each));
  if (schema.safeParse(value).success) return { value };
  return {
    problem:
      Number.isNaN(value) && kind.kind === "number"
        ? "write a number such as 0.03 or a fraction such as 8/255"
        : `write ${describe(schema)}`,
  };
}

function readAs(kind: Kind, text: string): unknown {
  if (kind.kind === "true or false") return text === "true" || (text === "false" ? false : text);
  if (kind.kind !== "number" && kind.kind !== "whole number") return text;
  const [above, below = "1", ...more] = text.split("/");
  return more.length > 0 || !above?.trim() || !below.trim() ? Number.NaN : Number(above) / Number(below);
}

/** A value as the command line reads it back, to the bit. */
export function textOf({ notes, kind }: Field, value: unknown): string {
  if (typeof value !== "number") return Array.isArray(value) ? value.join(" ") : String(value);
  return kind.kind === "number" && notes.unit === "intensity" ? inLevels(value) : String(value);
}

/** In 255ths where that is short. */
function inLevels(value: number): string {
  const levels = Number((value * 255).toPrecision(6));
  return levels / 255 === value ? `${levels}/255` : String(value);
}

/** All that a user would type to have this attack with these parameters: flags with their values. */
export const typed = ({ definition, parameters }: Attack): (readonly [flag: string, value: string])[] =>
  fieldsOf(definition).flatMap((field) => {
    const value = parameters[field.name];
    if (value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((each) => [flagOf(field.name), textOf(field, each)] as const);
  });

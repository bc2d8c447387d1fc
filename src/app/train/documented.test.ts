import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import { flagOf } from "../attack/flag-of.js";
import { networkSchema } from "../networks/configuration.js";
import { trainConfigSchema } from "./config.js";

/** Every field of a schema and of all that is in it. */
function fieldsOf(schema: unknown, found = new Set<string>()): Set<string> {
  if (schema instanceof z.ZodObject) for (const [name, inner] of Object.entries(schema.shape)) fieldsOf(inner, found.add(name));
  else if (schema instanceof z.ZodDiscriminatedUnion || schema instanceof z.ZodUnion)
    for (const option of schema.options) fieldsOf(option, found);
  else if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) fieldsOf(schema.unwrap(), found);
  else if (schema instanceof z.ZodArray) fieldsOf(schema.element, found);
  return found;
}

const page = (name: string) => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), "utf8");
const [guide, attacks] = [page("training"), page("attacks")];
/** The parameters of attacks, which an adversary may have, stand in docs/attacks.md as flags. */
const named = (field: string) =>
  guide.includes(`\`${field}\``) || guide.includes(`"${field}"`) || attacks.includes(`\`${flagOf(field)} `);

it.each([
  ["training configurations", trainConfigSchema()],
  ["networks", networkSchema],
])("docs/training.md names every field of %s", (_, schema) => {
  const fields = [...fieldsOf(schema)];
  expect(fields.length).toBeGreaterThan(20);
  expect(fields.filter((name) => !named(name))).toEqual([]);
});

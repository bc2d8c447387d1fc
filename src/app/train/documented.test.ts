import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
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

const guide = readFileSync(new URL("../../../docs/training.md", import.meta.url), "utf8");

it.each([
  ["training configurations", trainConfigSchema()],
  ["networks", networkSchema],
])("docs/training.md names every field of %s", (_, schema) => {
  const fields = [...fieldsOf(schema)];
  expect(fields.length).toBeGreaterThan(20);
  expect(fields.filter((name) => !guide.includes(`\`${name}\``) && !guide.includes(`"${name}"`))).toEqual([]);
});

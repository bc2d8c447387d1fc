import { z } from "zod";
import { completeSpec } from "../../../vision/spec/model-predictor.js";
import { schemas } from "../../attack/schemas.js";
import { withHeadRead } from "../../read-head.js";
import { readPredicting } from "../../read-predicting.js";
import type { SpecCommandFlags } from "../commands/spec.js";
import { UsageError } from "../errors.js";
import { resolveSpec, sayAssumed } from "./spec.js";

/** `faultline spec model.onnx`, `faultline spec --schema` */
export async function spec(path: string | undefined, flags: SpecCommandFlags): Promise<void> {
  if (flags.schema) {
    const name = flags.schema === true ? "spec" : flags.schema;
    const { title, schema, read } = schemas[name];
    const json = z.toJSONSchema(schema, { io: read, override: ({ jsonSchema }) => void delete jsonSchema.allowed });
    process.stdout.write(`${JSON.stringify({ title, ...json }, undefined, 2)}\n`);
    return;
  }
  if (!path) throw new UsageError("name a model, or say --schema.");
  const { spec: said, assumed } = resolveSpec(path, flags);
  sayAssumed(assumed, path);
  const file = await readPredicting(path, said);
  const whole = await withHeadRead(file, completeSpec(file, said));
  process.stdout.write(`${JSON.stringify(whole, undefined, 2)}\n`);
}

import { Command, Option } from "commander";
import { type SchemaName, schemaNames } from "../../attack/schema-names.js";
import { type SpecFlags, withSpec } from "../spec-options.js";

export interface SpecCommandFlags extends SpecFlags {
  readonly schema?: SchemaName | true;
}

/** `faultline spec model.onnx`, `faultline spec --schema` */
export function specCommand(): Command {
  return withSpec(new Command("spec"))
    .description("Print what is said of a model (sidecar file and flags) in full, or the JSON Schemas of Faultline's files.")
    .argument("[model]", "ONNX file")
    .addOption(
      new Option(
        "--schema [file]",
        "print a JSON Schema: of MODEL.spec.json (the default), or of a file of an attack run",
      ).choices(schemaNames),
    )
    .addHelpText(
      "after",
      `
Examples: faultline spec deeplab.onnx --task segmentation --range imagenet > deeplab.spec.json
          faultline spec --schema > model-spec.schema.json
          faultline spec --schema summary`,
    )
    .action(async (path: string | undefined, flags: SpecCommandFlags) =>
      (await import("../actions/spec-command.js")).spec(path, flags),
    );
}

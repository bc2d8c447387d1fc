import type { OnnxModel } from "../../../engine/onnx/model.js";
import type { Dataset } from "../../../vision/data/dataset.js";
import { declaredClasses } from "../../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../../vision/spec/model-spec.js";
import { type DataOptions, openData } from "../../data/open-data.js";
import type { DataFlags } from "../data-options.js";
import type { SpecFlags } from "../spec-options.js";

/** The flags that say how a data set is read, as a plan keeps them. */
export function dataOptions({ format, split, variant, corruption }: DataFlags): Omit<DataOptions, "task"> {
  return {
    ...(format && { format }),
    ...(split && { split }),
    ...(variant && { variant }),
    ...(corruption && { corruption }),
  };
}

/** Opens what --data names, and says how a plan names it; its own ignored label joins those of the specification, unless --ignore says all of them. */
export async function openFlagged<S extends ModelSpec>(
  root: string,
  spec: S,
  flags: DataFlags & Pick<SpecFlags, "ignore">,
  model: OnnxModel,
): Promise<{ readonly dataset: Dataset; readonly spec: S; readonly name: string }> {
  const { dataset, name } = await openData(
    root,
    { task: spec.task, classes: declaredClasses(model, spec), ...dataOptions(flags) },
    spec.size,
  );
  if (dataset.ignoreLabel === undefined || flags.ignore) return { dataset, spec, name };
  return { dataset, name, spec: { ...spec, ignore: [...new Set([...spec.ignore, dataset.ignoreLabel])] } };
}

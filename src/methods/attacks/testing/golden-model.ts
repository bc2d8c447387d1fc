import { existsSync, readFileSync } from "node:fs";
import { specialize } from "../../../engine/compile/specialize.js";
import { embed } from "../../../engine/graph/embed.js";
import { parseModel } from "../../../engine/onnx/read.js";
import { parseSafetensors } from "../../../engine/tensor/safetensors.js";
import { sizeOf, type Tensor, tensor, toNumbers } from "../../../engine/tensor/tensor.js";
import { runModel } from "../../../engine/testing/run-model.js";
import type { Predictor } from "../../../vision/predictor.js";

import { type TaskName, tasks } from "../../../vision/tasks/index.js";
import type { AttackedModel } from "../attacked-model.js";

export interface GoldenEntry {
  readonly file: string;
  readonly task: TaskName | "apgd";
  readonly attack: "fgsm" | "bim" | "pgd" | "segpgd" | "cospgd" | "cospgd_columns";
  readonly norm: "linf" | "l2";
  readonly targeted: boolean;
  readonly eps: number;
  readonly alpha: number;
  readonly iterations: number;
  readonly loss: string;
  readonly rules: "paper" | "code";
}

/** The reference traces: beside the checkout where they are all present, else the part that the project carries. */
export const goldenFolder = ["../../../../../shared/golden/systems/attacks/", "../../../../fixtures/golden/attacks/"]
  .map((p) => new URL(p, import.meta.url))
  .find((url) => existsSync(new URL("manifest.json", url)));

export function goldenEntries(): GoldenEntry[] {
  if (!goldenFolder) return [];
  const { files } = JSON.parse(readFileSync(new URL("manifest.json", goldenFolder), "utf8")) as { files: GoldenEntry[] };
  return files.filter((f) => (f.attack || f.rules) && existsSync(new URL(f.file, goldenFolder)));
}

export function goldenTensors(file: string): Map<string, Tensor> {
  return parseSafetensors(readFileSync(new URL(file, goldenFolder))).tensors;
}

/** The small network of a task as an attack's attacked, its clean images by role, its label and target. */
export async function goldenModel(folder: string) {
  const file = parseModel(readFileSync(new URL(`${folder}/network.onnx`, goldenFolder)));
  const model = await specialize(file, {}, (constants) => runModel(constants, {}));
  const inputs = goldenTensors(`${folder}/inputs.safetensors`);
  const task = tasks[folder === "apgd" ? "classification" : (folder as TaskName)];
  const { roles } = task;
  const stored = (stem: string, i: number) => inputs.get(roles.length > 1 ? `${stem}_${i + 1}` : stem) as Tensor<"float32">;
  const images = Object.fromEntries(
    roles.map((role, i) => [
      role,
      inputs.get(roles.length === 1 ? "input" : inputs.has(role) ? role : `image_${i + 1}`) as Tensor<"float32">,
    ]),
  );
  const noise = Object.fromEntries(roles.map((role, i) => [role, stored("noise", i)]));
  const names = model.inputs.map((v) => v.name);
  const predictor: Predictor = {
    images: Object.fromEntries(Object.entries(images).map(([role, t]) => [role, t.shape])),
    predict: (graph, values) =>
      Object.values(embed(graph, model, Object.fromEntries(roles.map((role, i) => [names[i]!, values[role]!]))).outputs)[0]!,
  };
  const asTarget = (t: Tensor | undefined): Tensor => (t?.type === "int32" ? tensor("int64", t.shape, toNumbers(t)) : t!);
  const attacked: AttackedModel = { predictor, task, ignore: [255, -1] };
  return { attacked, images, noise, label: asTarget(inputs.get("label")), target: asTarget(inputs.get("target")), roles };
}

/** Entry `t` along the first axis. */
export function at(t: Tensor, index: number): Tensor<"float32"> {
  const n = sizeOf(t.shape.slice(1));
  return tensor("float32", t.shape.slice(1), (t.data as Float32Array).slice(index * n, (index + 1) * n));
}

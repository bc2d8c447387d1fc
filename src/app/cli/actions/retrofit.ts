import { specialize } from "../../../engine/compile/specialize.js";
import type { OnnxModel } from "../../../engine/onnx/model.js";
import { saveModel } from "../../../engine/onnx/write-file.js";
import {
  type Change,
  evaluateKernels,
  type OutputDifference,
  outputDifferences,
  retrofitFile,
  retrofit as retrofitted,
} from "../../../methods/retrofit/index.js";
import { usualTasks } from "../../../vision/tasks/names.js";
import { type Pictures, pictureFeeds } from "../../picture-feeds.js";
import type { RetrofitFlags } from "../commands/retrofit.js";
import { UsageError } from "../errors.js";
import { columns } from "../table.js";
import { openModel, withEngine } from "./engine.js";
import { isOfImages, resolveSpec, sayAssumed } from "./spec.js";
import { demandOutput } from "./write.js";

/** `faultline retrofit model.onnx --down flc --up lctc-7 -o model.flc.onnx` */
export async function retrofit(path: string, flags: RetrofitFlags): Promise<void> {
  const { down, up, output } = flags;
  if (!down && !up) throw new UsageError("say what is to be replaced, and by what: --down flc, --up lctc-7, or both.");
  if (!output.endsWith(".onnx")) throw new UsageError(`-o ${output}: name a file that ends in .onnx.`);
  demandOutput(output, [path]);
  const { spec, assumed } = resolveSpec(path, flags, usualTasks.pictures);
  sayAssumed(assumed.filter(isOfImages), path);
  await withEngine(flags, async (engine) => {
    const { file, graph } = await openModel(path, flags.shape ?? {}, engine, { keep: "weights" });
    const sides = flags.sides === "kept" && hasOpenSides(file) ? "any" : "these";
    if (up) await evaluateKernels(graph, (part) => engine.evaluate(part));
    const result = retrofitted(graph, { ...(down && { down }), ...(up && { up }), sides });
    const { graph: made, changes } = result;
    const replaced = changes.filter((c) => c.outcome.kind === "replaced").length;
    if (replaced === 0) {
      if (flags.json) process.stdout.write(`${JSON.stringify({ changes }, undefined, 2)}\n`);
      else if (changes.length > 0) process.stdout.write(`${tableOf(changes)}\n`);
      throw new UsageError(
        changes.length === 0
          ? `${path} has no layer that changes the resolution of a map; nothing was written.`
          : "not one of these layers could be replaced; nothing was written.",
      );
    }
    const pictures = await pictureFeeds(engine, graph, spec, {
      data: flags.data,
      corruption: flags.corruption,
      count: flags.images,
      seed: flags.seed,
    });
    const inFile = retrofitFile(file, graph, result, sides);
    const model = inFile ?? made.build();
    const shapes = Object.fromEntries(graph.inputs.map((v) => [v.name, v.shape]));
    // What is measured is what is written.
    const written = await specialize(model, shapes, (m) => engine.evaluate(m));
    const moved = await outputDifferences(engine, graph, written, pictures.feeds);
    await saveModel(model, output);
    process.stdout.write(
      flags.json
        ? `${JSON.stringify({ output, changes, moved, pictures: pictures.source }, undefined, 2)}\n`
        : text(output, model, !inFile ? "rebuilt" : sides === "any" ? "any size" : "one size", changes, moved, pictures),
    );
  });
}

const sizeSaid = {
  "one size": "height and width are fixed: what was put in place is made for maps of this size.",
  "any size":
    "of any height and width, as before: low-passes compute their matrices from the size (--sides fixed makes them constants).",
  rebuilt:
    "height and width are fixed. All nodes were written anew: the file is older than opset 13, or one of these layers lies inside a branch, loop or function or is an integer one (QLinearConv).",
} as const;

/** Whether a height or a width of an input is symbolic; the first axis is the batch. */
const hasOpenSides = ({ graph: { inputs, initializers } }: OnnxModel): boolean =>
  inputs.some(({ name, shape }) => !initializers.has(name) && shape?.slice(1).some((d) => typeof d !== "number"));

function text(
  output: string,
  { graph: { inputs, initializers } }: OnnxModel,
  how: keyof typeof sizeSaid,
  changes: readonly Change[],
  moved: readonly OutputDifference[],
  pictures: Pictures,
): string {
  const replaced = changes.filter((c) => c.outcome.kind === "replaced").length;
  const sizes = inputs
    .filter((i) => !initializers.has(i.name))
    .map((i) => `${i.name} ${i.shape?.map((d) => d || "?").join("x")}`)
    .join(", ");
  return [
    tableOf(changes),
    "",
    `${output}: ${replaced} of ${changes.length} layers replaced. It takes ${sizes}; ${sizeSaid[how]}`,
    `On ${pictures.source}, the output moved by`,
    columns(
      ["output", "relative l_2", "largest change"],
      moved.map((m) => [m.output, m.relative.toPrecision(3), m.largest.toPrecision(3)]),
    ),
    "",
  ].join("\n");
}

function tableOf(changes: readonly Change[]): string {
  const map = (shape: readonly number[]) => shape.slice(1).join("x");
  return columns(
    ["layer", "form", "map", "outcome"],
    changes.map((c) => [
      c.node,
      c.form,
      `${map(c.before)} -> ${map(c.after)}`,
      c.outcome.kind === "replaced" ? c.outcome.by : `left: ${c.outcome.because}`,
    ]),
  );
}

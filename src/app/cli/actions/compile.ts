import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { lower } from "../../../engine/compile/lower.js";
import type { Graph } from "../../../engine/graph/graph.js";
import { describeStep } from "../../../methods/attacks/ascent/step-description.js";
import { startGraph, stepGraph } from "../../../methods/attacks/ascent/step-graph.js";
import type { AttackedModel } from "../../../methods/attacks/attacked-model.js";
import { evaluationGraph } from "../../../methods/attacks/evaluation-graph.js";
import { checkSpec, completeSpec, modelPredictor } from "../../../vision/spec/model-predictor.js";
import { tasks } from "../../../vision/tasks/index.js";
import { soleAscent } from "../../attack/sole-ascent.js";
import { stepReadme } from "../../attack/step-readme.js";
import { eotOf, transformOf } from "../../attack/transform-of.js";
import { loadPlugins, taskWith } from "../../plugins/plugins.js";
import { withHeadRead } from "../../read-head.js";
import { readPredicting } from "../../read-predicting.js";
import { attackTyped } from "../attack-flags.js";
import type { CompileFlags } from "../commands/compile.js";
import { UsageError } from "../errors.js";
import { withEngine } from "./engine.js";
import { resolveSpec, sayAssumed } from "./spec.js";
import { demandOutput, saveChecked, withinMemory } from "./write.js";

/** `faultline compile model.onnx --task segmentation --size 512x512 -o step.onnx` */
export async function compile(path: string, flags: CompileFlags): Promise<void> {
  if (!flags.output.endsWith(".onnx")) throw new UsageError(`-o ${flags.output}: name a file that ends in .onnx.`);
  demandOutput(flags.output, [path]);
  const plugins = await loadPlugins(flags.plugin);
  const chosen = attackTyped(flags.attack, flags, plugins.attacks);
  const { spec: said, assumed } = resolveSpec(path, flags);
  const model = await readPredicting(path, said);
  const spec = await withHeadRead(model, completeSpec(model, said));
  const size = spec.size.rule === "fixed" ? spec.size : flags.size;
  if (!size) throw new UsageError(`say the size of the images with --size HEIGHTxWIDTH; ${path} takes several.`);
  if (flags.size && (flags.size.height !== size.height || flags.size.width !== size.width))
    throw new UsageError(`--size: ${path} takes images of ${size.height}x${size.width} only.`);
  const batch = flags.batch ?? checkSpec(model, spec).batch ?? 1;
  const eot = await eotOf(flags.eot, flags.eotSamples);
  const task = taskWith(tasks[spec.task], plugins);
  const attack = await soleAscent(chosen, { task, goal: flags.goal }, "faultline compile writes the step of one attack");
  sayAssumed(assumed, path);
  await withEngine(flags, async (engine) => {
    const predictor = await modelPredictor(model, spec, { batch, ...size }, (m) => engine.evaluate(m));
    const transform = await transformOf(eot, Object.values(predictor.images)[0]!, engine);
    const attacked: AttackedModel = {
      predictor,
      task,
      goal: flags.goal,
      ignore: spec.ignore,
      scale: flags.scale ?? tasks[spec.task].scale,
      valid: flags.with?.includes("valid") ?? false,
      region: flags.with?.includes("region") ?? false,
      ...(flags.perturb && { perturb: flags.perturb }),
      ...(transform && { transform }),
    };
    if (flags.also?.includes("start") && attack.start === "clean")
      throw new UsageError(`${attack.name} starts at the clean image; there is no start graph to write.`);
    const about = describeStep(attack, attacked);
    const json = JSON.stringify(about, undefined, 2);
    const stem = flags.output.replace(/\.onnx$/, "");
    const write = async (graph: Graph, file: string, memory?: number) => {
      const { graph: within, note } = withinMemory(lower(graph, engine.info.provider), memory);
      const built = within.build();
      const described = { ...built, metadata: { ...built.metadata, "faultline.step": JSON.stringify(about) } };
      const files = await saveChecked(engine, described, file, flags.externalData ? "beside" : "as needed");
      process.stdout.write(`${files}: ${described.graph.nodes.length} nodes, opset ${described.opset}\n${note}`);
      return described;
    };
    const step = await write(stepGraph(attack, attacked), flags.output, flags.memory);
    writeFileSync(`${stem}.json`, `${json}\n`);
    writeFileSync(`${stem}.md`, stepReadme(basename(flags.output), step, about, wordsOf(spec.range, spec.channels)));
    process.stdout.write(`${stem}.json, ${stem}.md: what it takes and gives\n`);
    if (flags.also?.includes("start")) await write(startGraph(attack, attacked), `${stem}.start.onnx`);
    if (flags.also?.includes("evaluation")) await write(evaluationGraph(attack, attacked), `${stem}.evaluation.onnx`);
  });
}

const wordsOf = (range: unknown, channels: string): string =>
  `${channels}, ${typeof range === "string" ? range : `mean and deviation ${JSON.stringify(range)}`}`;

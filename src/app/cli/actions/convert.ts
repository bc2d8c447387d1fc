import { existsSync, writeFileSync } from "node:fs";
import { saveModel } from "../../../engine/onnx/write-file.js";
import { sizeOf } from "../../../engine/tensor/tensor.js";
import { loadCheckpoint, saveCheckpoint } from "../../../vision/nn/checkpoints/files.js";
import {
  asFloat32,
  matchParameters,
  type StateDict,
  stripPrefix,
  wrapperPrefix,
} from "../../../vision/nn/checkpoints/state-dict.js";
import { roundUp } from "../../../vision/nn/layers/padding.js";
import { networkModel } from "../../../vision/nn/model.js";
import { closestNetwork } from "../../../vision/nn/networks/closest.js";
import {
  findNetwork,
  type NamedNetwork,
  type NetworkConfiguration,
  recognizeConfiguration,
  resamplingOf,
  sameParameters,
  tensorsOf,
} from "../../../vision/nn/networks/index.js";
import { type Declaration, ParameterError } from "../../../vision/nn/scope.js";
import { check, fewProblems } from "../../../vision/spec/check.js";
import { asConfiguration, networkSchema } from "../../networks/configuration.js";
import { networkSpec } from "../../networks/network-spec.js";
import { refuseRecord } from "../../runs/refuse-record.js";
import { inputShapes } from "../../train/build.js";
import { isTrainingState } from "../../train/checkpoint.js";
import { ConfigError, readJson } from "../../train/config.js";
import type { ConvertFlags } from "../commands/convert.js";
import { UsageError } from "../errors.js";
import { demandOutput } from "./write.js";

/** `faultline convert NAFNet-GoPro-width32.pth --size 256x256 -o nafnet.onnx` */
export async function convert(path: string, flags: ConvertFlags): Promise<void> {
  if (!existsSync(path)) throw new UsageError(`${path}: there is no such file.`);
  if (/\.onnx$/i.test(path))
    throw new UsageError(`${path} is an ONNX model already; convert takes a checkpoint (.pth, .pt, .ckpt or .safetensors).`);
  demandOutput(flags.output, [path]);
  const kind = outputKind(flags);
  const state = await readWeights(path, flags);
  const configuration = pooled(chooseNetwork(path, flags, state), flags);
  const named = findNetwork(configuration);
  const tensors = tensorsOf(named);
  checkFit(path, state, tensors, flags, configuration);
  const values = [...tensors.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const content = `${flags.network ?? configuration.family}, ${values.toLocaleString("en")} values in ${tensors.size} tensors`;
  const written = kind === "model" ? await writeOnnx(named, state, flags) : await writeCheckpoint(state, flags);
  process.stdout.write(`${flags.output}: ${content}, ${written}\n${JSON.stringify(configuration)}\n`);
}

/** What is written, by the output's name. */
function outputKind({ output, size, localPooling, batch }: ConvertFlags): "model" | "checkpoint" {
  if (/\.onnx$/i.test(output)) {
    if (!size)
      throw new UsageError("an ONNX model is for one image size here; say which with --size, for example --size 256x256.");
    return "model";
  }
  if (!/\.(pth|pt|ckpt|safetensors)$/i.test(output))
    throw new UsageError(`-o ${output}: the name ends in .onnx for a model, or in .pth or .safetensors for a checkpoint.`);
  if (size || localPooling || batch !== 1)
    throw new UsageError("--size, --batch and --local-pooling are for ONNX models; a checkpoint has none of them.");
  return "checkpoint";
}

async function writeOnnx(named: NamedNetwork, state: StateDict, { output, size, batch }: ConvertFlags): Promise<string> {
  const { height, width } = size!;
  const { multipleOf: m } = named;
  if (height % m !== 0 || width % m !== 0)
    throw new UsageError(
      `this network takes sides that are multiples of ${m}, which ${height}x${width} are not; ${roundUp(height, m)}x${roundUp(width, m)} are.`,
    );
  const model = networkModel(named.network, state, inputShapes(named, batch, [height, width]));
  await saveModel(model, output);
  // Classifiers and segmentation networks come with a normalization of their own, which no checkpoint mentions.
  const spec = named.task && networkSpec(named.task, [height, width], named.configuration.imageChannels);
  if (spec) writeFileSync(`${output.replace(/\.onnx$/i, "")}.spec.json`, `${JSON.stringify(spec, undefined, 2)}\n`);
  return `${model.graph.nodes.length} nodes`;
}

async function writeCheckpoint(state: StateDict, { output }: ConvertFlags): Promise<string> {
  await saveCheckpoint(output, state);
  return "float32";
}

/** @throws UsageError, after a sentence for each tensor that does not fit. */
function checkFit(
  path: string,
  state: StateDict,
  tensors: ReadonlyMap<string, Declaration>,
  { network, config }: ConvertFlags,
  { family }: NetworkConfiguration,
): void {
  const misfits = matchParameters(new Map([...tensors].map(([name, { shape }]) => [name, shape])), state, { strict: true });
  if (misfits.length === 0) return;
  for (const sentence of misfits) process.stderr.write(`${sentence}\n`);
  const chosen = network ?? config;
  const like = chosen === undefined ? undefined : closestNetwork(state);
  throw new UsageError(
    `${path} does not fit ${chosen ?? `the recognized ${family}`} (${misfits.length} sentence${misfits.length > 1 ? "s" : ""} above); nothing was written.${like && like.name !== network ? ` It is most like ${like.name}.` : ""}`,
  );
}

/** The checkpoint in float32, without the prefix that was named or that a wrapper has put before every name. */
async function readWeights(path: string, { key, stripPrefix: named }: ConvertFlags): Promise<StateDict> {
  const state = asFloat32(await loadCheckpoint(path, key === undefined ? {} : { key }));
  if (isTrainingState(state.keys()))
    throw new UsageError(
      `${path} is what faultline train goes on from; give the weights alone, which it writes at the end: model.safetensors beside it.`,
    );
  const prefix = named ?? wrapperPrefix(state);
  if (prefix === "") return state;
  if (named === undefined) process.stderr.write(`every name begins with "${prefix}", which is dropped\n`);
  return stripPrefix(state, prefix);
}

function chooseNetwork(path: string, { network, config }: ConvertFlags, state: StateDict): NetworkConfiguration {
  if (network !== undefined && config !== undefined)
    throw new UsageError("--network and --config both say which network; give one.");
  if (network !== undefined) return findNetwork(network).configuration;
  if (config === undefined) return telling(recognized(path, state));
  const json: unknown = readJson(config);
  refuseRecord(json, config, "a network's configuration (network.json)");
  if (typeof json === "object" && json !== null && "network" in json)
    throw new UsageError(
      `--config ${config} describes a training; give the network alone, which train writes as network.json into its run directory.`,
    );
  const checked = check(networkSchema, json);
  if ("problems" in checked) throw new ConfigError(`${config} is not valid: ${fewProblems(checked.problems)}.`);
  return asConfiguration(checked.data);
}

/** Says what the names of the parameters do not tell. */
function telling(configuration: NetworkConfiguration): NetworkConfiguration {
  const [chosen, others] = [resamplingOf(configuration), sameParameters(configuration)];
  for (const field of ["down", "up"] as const) {
    if (others[field].length > 0)
      process.stderr.write(
        `${field}: taken to be "${chosen[field]}"; weights trained with ${others[field].join(", ")} have the same names: if these are such, give --config\n`,
      );
  }
  return configuration;
}

function recognized(path: string, state: StateDict): NetworkConfiguration {
  try {
    return recognizeConfiguration(state);
  } catch (error) {
    const like = error instanceof ParameterError && closestNetwork(state);
    if (!like) throw error;
    throw new UsageError(
      `${path} is no network that Faultline knows, but has ${like.shared} of the ${like.tensors} tensors of ${like.name}; add --network ${like.name} to see what the others are.`,
    );
  }
}

function pooled(configuration: NetworkConfiguration, { localPooling }: ConvertFlags): NetworkConfiguration {
  if (!localPooling) return configuration;
  if (configuration.family !== "nafnet")
    throw new UsageError(`--local-pooling is for NAFNet and Baseline, not for ${configuration.family}.`);
  return { ...configuration, pooling: { kind: "local", trainingSize: [localPooling.height, localPooling.width] } };
}

import { type Command, InvalidArgumentError, Option } from "commander";
import type { OptimizationLevel, Provider } from "../../engine/runtime/engine.js";
import type { Shape } from "../../engine/tensor/tensor.js";

/** `x=1x3x224x224`, repeatable. */
export function parseShape(text: string, before: Record<string, Shape> = {}): Record<string, Shape> {
  const match = /^(?:(.+)=)?(\d+(?:x\d+)*|scalar)$/.exec(text);
  if (!match) throw new InvalidArgumentError('write it as NAME=1x3x224x224, for example --shape "x=1x3x224x224".');
  return { ...before, [match[1] ?? ""]: match[2] === "scalar" ? [] : match[2]!.split("x").map(Number) };
}

/** A number or a fraction: `8/255`, `0.03`. */
export function parseFraction(text: string): number {
  const match = /^\s*([\d.eE+-]+)\s*(?:\/\s*([\d.eE+-]+)\s*)?$/.exec(text);
  const value = match ? Number(match[1]) / (match[2] === undefined ? 1 : Number(match[2])) : Number.NaN;
  if (!Number.isFinite(value))
    throw new InvalidArgumentError(
      /^\s*-?\d+,\d+\s*$/.test(text)
        ? `write ${text.trim().replace(",", ".")}, with a point.`
        : "write a number such as 0.03 or a fraction such as 8/255.",
    );
  return value;
}

export function parsePositiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("write a whole number of at least 1.");
  return value;
}

export function parseInteger(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value)) throw new InvalidArgumentError("write a whole number.");
  return value;
}

/** HEIGHTxWIDTH */
export function parseSize(text: string): { height: number; width: number } {
  const match = /^(\d+)x(\d+)$/.exec(text);
  const [height, width] = [Number(match?.[1]), Number(match?.[2])];
  if (!(height > 0 && width > 0)) throw new InvalidArgumentError("write HEIGHTxWIDTH, for example 360x640.");
  return { height, width };
}

/** i/n, counted from 1. */
export function parseShard(text: string): { index: number; count: number } {
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || index < 1 || index > count) throw new InvalidArgumentError("write i/n with i from 1 to n, for example 2/4.");
  return { index, count };
}

/** A number of bytes: `4GiB`, `500MB`, `1.5e9`. */
export function parseBytes(text: string): number {
  const match = /^\s*([\d.]+(?:e\d+)?)\s*(?:([kmgt])(i?)b?)?b?\s*$/i.exec(text);
  const factor = match?.[2] ? (match[3] ? 1024 : 1000) ** (1 + "kmgt".indexOf(match[2].toLowerCase())) : 1;
  const value = match ? Number(match[1]) * factor : Number.NaN;
  if (!(value >= 1)) throw new InvalidArgumentError("write a number of bytes, for example 4GiB or 500MB.");
  return value;
}

/** Adds --memory. */
export function withMemory(command: Command): Command {
  return command.option(
    "--memory <bytes>",
    "compute inner values again instead of keeping them, within so much memory beside the weights, for example 4GiB",
    parseBytes,
  );
}

/** Adds --quiet. */
export const withQuiet = (command: Command): Command => command.option("--quiet", "print results and errors alone");

/** --allow-failed, of commands that leave out what they could not attack. */
export const allowFailed = (): Option =>
  new Option("--allow-failed", "exit code 0 even where samples could not be attacked; they are in no number");

export interface RuntimeFlags {
  readonly provider?: Provider;
  readonly threads?: number;
  readonly optimization?: OptimizationLevel;
}

/** Adds --provider, --threads and --optimization. */
export function withRuntime(command: Command): Command {
  return command
    .addOption(
      new Option("--provider <name>", "where ONNX Runtime computes")
        .choices(["cpu", "cuda", "tensorrt", "coreml", "dml", "webgpu"])
        .default("cpu"),
    )
    .option("--threads <n>", "threads within one operator (default: physical cores)", parsePositiveInteger)
    .addOption(
      new Option("--optimization <level>", "ONNX Runtime's graph optimization")
        .choices(["disabled", "basic", "extended", "layout", "all"])
        .default("all"),
    );
}

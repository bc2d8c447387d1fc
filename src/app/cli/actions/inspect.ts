import { lastValuesLine } from "../../../engine/autodiff/obstacles.js";
import { type GradientSummary, type ModelSummary, summarize } from "../../../engine/summary/summary.js";
import type { InspectFlags } from "../commands/inspect.js";
import { columns, count, megabytes } from "../table.js";
import { openKnownPart, withEngine } from "./engine.js";

/** `faultline inspect model.onnx` */
export async function inspect(path: string, flags: InspectFlags): Promise<void> {
  const { file, summary } = await withEngine(flags, async (engine) => {
    const { file, known } = await openKnownPart(path, flags.shape ?? {}, engine, flags.of);
    return { file, summary: summarize(known) };
  });
  process.stdout.write(flags.json ? `${JSON.stringify(summary, undefined, 2)}\n` : text(path, file.producer, summary));
}

function text(path: string, producer: string, s: ModelSummary): string {
  const typed = (v: { name: string; type: string; shape: readonly number[] }) => `${v.name}: ${v.type}[${v.shape.join(", ")}]`;
  const lines = [
    `${path}${producer ? ` (made by ${producer})` : ""}`,
    `inputs      ${s.inputs.map(typed).join(", ")}`,
    `outputs     ${[...s.outputs.map(typed), ...(s.beyond?.outputs ?? []).map((name) => `${name}: of a shape that depends on data`)].join(", ")}`,
    `parameters  ${count(s.parameters)} (${megabytes(s.parameterBytes)})`,
    `work        ${(s.flops / 1e9).toFixed(2)} GFLOP per run at these shapes`,
    `memory      about ${megabytes(s.forwardMemory)} forward${s.gradient.kind === "exists" ? `, ${megabytes(s.gradient.memory)} with the input gradient` : ""} (inner values, before the runtime's own reuse)`,
    `BatchNorm   ${s.batchNormalization.kind === "present" ? `${s.batchNormalization.nodes} nodes, not folded` : s.batchNormalization.likelyFolded ? "none; every convolution has a bias, so it was probably folded into them" : "none"}`,
    ...(s.random.length > 0 ? [`random      ${s.random.length} node(s) draw new numbers in each run:`, ...labels(s.random)] : []),
    ...beyondLines(s.beyond),
    ...gradientLines(s.gradient, s.beyond ? "what lies before them" : "every output"),
    "",
    columns(
      ["operator", "count", "GFLOP", "gradient"],
      s.operators
        .map((o) => [
          o.name,
          String(o.count),
          (o.flops / 1e9).toFixed(3),
          o.obstacle ? "none, in the way" : o.gradient === "none" ? "none, not in the way" : o.gradient,
        ])
        .concat((s.beyond?.operators ?? []).map((o) => [o.name, String(o.count), "?", "beyond unknown shapes"])),
    ),
    "",
    columns(
      ["largest activations", "shape", "size"],
      s.largestActivations.map((a) => [a.name, a.shape.join("x"), megabytes(a.bytes)]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

const labels = (lines: readonly string[]): string[] => [
  ...lines.slice(0, 20).map((line) => `              ${line}`),
  ...(lines.length > 20 ? [`              and ${lines.length - 20} more`] : []),
];

const list = (nodes: readonly { node: string; because: string }[]): string[] =>
  labels(nodes.map((o) => (o.because.startsWith(o.node) ? o.because : `${o.node}: ${o.because}`)));

function beyondLines(beyond: ModelSummary["beyond"]): string[] {
  if (!beyond) return [];
  const count = beyond.operators.reduce((n, o) => n + o.count, 0);
  return [
    `beyond      ${count} node(s) of shapes that depend on data are not counted, and no gradient passes them; they begin with`,
    ...list(beyond.stops),
    `              ${lastValuesLine(beyond.stops.length, beyond.lastValues)}`,
  ];
}

function gradientLines(gradient: GradientSummary, from: string): string[] {
  switch (gradient.kind) {
    case "exists":
      return gradient.zero.length === 0
        ? [`gradient    exists from ${from} to every floating-point input`]
        : [`gradient    exists, but is 0 everywhere for ${gradient.zero.join(", ")}: nothing differentiable leads there`];
    case "zero everywhere":
      return gradient.ends.length === 0
        ? ["gradient    0 everywhere: no floating-point output depends on a floating-point input"]
        : [
            "gradient    0 everywhere: the only ways from input to output lead through",
            ...list(gradient.ends),
            `              ${lastValuesLine(gradient.ends.length, gradient.lastValues)}`,
          ];
    case "stopped":
      return [
        `gradient    stopped by ${gradient.obstacles.length} node(s):`,
        ...list(gradient.obstacles),
        `              ${lastValuesLine(gradient.obstacles.length, gradient.lastValues)}`,
      ];
    default:
      return [`gradient    none: ${gradient.kind}`];
  }
}

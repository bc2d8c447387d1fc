import { sizeOf } from "../../engine/tensor/tensor.js";
import { declarations } from "../../vision/nn/model.js";
import type { NamedNetwork } from "../../vision/nn/networks/index.js";
import { adversaryText } from "./adversary-text.js";
import { inputShapes, type Training } from "./build.js";
import type { TrainResult } from "./export.js";
import type { TrainPlan } from "./run-train.js";

/** A model card (Mitchell et al. 2019) in Markdown: what the network is, how it came about, how it does, and what is not known of it. */
export function modelCard(
  plan: TrainPlan,
  training: Training<NamedNetwork>,
  { weights, steps, evaluated, untouched, rule }: TrainResult,
): string {
  const { config } = plan;
  const { named, dataset, evaluation, loss, size } = training;
  const trained = [...declarations(named.network, inputShapes(named, 1, size)).values()].filter((d) => d.role === "parameter");
  const parameters = trained.reduce((n, d) => n + sizeOf(d.shape), 0);
  const measured = evaluated?.evaluation;
  const { name: optimizer, learningRate, groups, ...rest } = config.optimizer;
  const { adversary } = config;
  const lines = [
    `# ${typeof config.network === "string" ? config.network : named.configuration.family}, trained for ${config.task}`,
    "",
    "## The network",
    "",
    `${parameters.toLocaleString("en")} parameters in ${weights.size} tensors. Inputs ${named.inputs.map((n) => `\`${n}\``).join(" and ")}: float32 [N, ${named.imageChannels}, H, W], ${named.imageChannels === 1 ? "gray (luma)" : "RGB"} in [0, 1]${named.multipleOf > 1 ? `, sides multiples of ${named.multipleOf}` : ""}. \`model.onnx\` is for one image of ${size.join("x")}; \`faultline convert model.safetensors --config network.json --size HxW -o other.onnx\` writes it for other sizes.`,
    "",
    "```json",
    JSON.stringify(named.configuration, undefined, 2),
    "```",
    "",
    "## Training",
    "",
    `- data: ${dataset.describe()}`,
    `- ${steps < config.steps ? `${steps} of ${config.steps} steps` : `${steps} steps`} of ${config.batch * config.pieces} samples${config.crop ? `, random ${config.crop.join("x")} windows` : ""}${config.flips.length > 0 ? `, random ${config.flips.join(" and ")} flips` : ""}`,
    `- loss ${loss.name}, optimizer ${optimizer} (learning rate ${learningRate}, ${Object.entries(rest)
      .map(([k, v]) => `${k} ${v}`)
      .join(", ")}), schedule ${config.schedule.kind}`,
    ...(groups ?? []).map(groupLine),
    ...(config.clipNorm === undefined ? [] : [`- gradient clipped to norm ${config.clipNorm}`]),
    ...(config.average === undefined ? [] : [`- these weights are the moving average with decay ${config.average}`]),
    ...(rule && evaluated
      ? [
          `- these weights are those of step ${evaluated.index}, whose ${rule.metric} was the best${steps < config.steps ? `; training stopped after ${rule.patience} evaluations without a better one` : ""}`,
        ]
      : []),
    ...(config.start === undefined ? [] : [`- began with ${config.start}`]),
    adversary ? `- adversarial: ${adversaryText(adversary)}` : "- not adversarial",
    `- seed ${config.seed}; Faultline ${plan.version}, ${plan.runtime.runtime}, ${plan.runtime.provider}, ${plan.runtime.threads} threads`,
    "",
    "## Evaluation",
    "",
    ...(measured && evaluation
      ? [
          evaluation.describe(),
          "",
          ...(untouched
            ? [
                "| metric | restored | degraded, as they are |",
                "|---|---|---|",
                ...Object.entries(measured).map(
                  ([name, value]) => `| ${name} | ${value.toFixed(4)} | ${untouched[name]?.toFixed(4) ?? ""} |`,
                ),
              ]
            : [
                "| metric | value |",
                "|---|---|",
                ...Object.entries(measured).map(([name, value]) => `| ${name} | ${value.toFixed(4)} |`),
              ]),
        ]
      : ["Not evaluated on other data than it was trained on."]),
    "",
    "## Limits",
    "",
    `${adversary ? `It was trained against ${adversary.attack} alone` : "It was not trained against attacks"}: measure its robustness with \`faultline attack model.onnx\` before relying on it.${dataset.name === "synthetic" ? " Synthetic scenes are no photographs; nothing is known of how it does on those." : ""}`,
  ];
  return `${lines.join("\n")}\n`;
}

type Group = NonNullable<TrainPlan["config"]["optimizer"]["groups"]>[number];

function groupLine({ of, learningRate, weightDecay }: Group): string {
  const settings = [
    ...(learningRate === undefined ? [] : [`learning rate ${learningRate}`]),
    ...(weightDecay === undefined ? [] : [`weightDecay ${weightDecay}`]),
  ];
  return `- ${of === "vectors" ? "parameters of one axis" : of.map((pattern) => `\`${pattern}\``).join(", ")}: ${settings.join(", ")}`;
}

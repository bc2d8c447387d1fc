import { sizeOf } from "../../engine/tensor/tensor.js";
import type { StateDict } from "../../vision/nn/checkpoints/state-dict.js";
import { declarations } from "../../vision/nn/model.js";
import { inputShapes, type Training } from "./build.js";
import type { TrainPlan, TrainRecord } from "./run-train.js";

/** A model card (Mitchell et al. 2019) in Markdown: what the network is, how it came about, how it does, and what is not known of it. */
export function modelCard(plan: TrainPlan, training: Training, weights: StateDict, records: readonly TrainRecord[]): string {
  const { config } = plan;
  const { named, dataset, evaluation, loss, size } = training;
  const trained = [...declarations(named.network, inputShapes(named, 1, size)).values()].filter((d) => d.role === "parameter");
  const parameters = trained.reduce((n, d) => n + sizeOf(d.shape), 0);
  const measured = records.findLast((r) => r.evaluation)?.evaluation;
  const { name: optimizer, learningRate, ...rest } = config.optimizer;
  const { adversary } = config;
  const lines = [
    `# ${typeof config.network === "string" ? config.network : named.configuration.family}, trained for ${config.task}`,
    "",
    "## The network",
    "",
    `${parameters.toLocaleString("en")} parameters in ${weights.size} tensors. Inputs ${named.inputs.map((n) => `\`${n}\``).join(" and ")}: float32 [N, ${named.imageChannels}, H, W], RGB in [0, 1]${named.multipleOf > 1 ? `, sides multiples of ${named.multipleOf}` : ""}. \`model.onnx\` is for one image of ${size.join("x")}; \`faultline convert model.safetensors --config network.json --size HxW -o other.onnx\` writes it for other sizes.`,
    "",
    "```json",
    JSON.stringify(named.configuration, undefined, 2),
    "```",
    "",
    "## Training",
    "",
    `- data: ${dataset.describe()}`,
    `- ${config.steps} steps of ${config.batch * config.pieces} samples${config.crop ? `, random ${config.crop.join("x")} windows` : ""}${config.flips.length > 0 ? `, random ${config.flips.join(" and ")} flips` : ""}`,
    `- loss ${loss.name}, optimiser ${optimizer} (learning rate ${learningRate}, ${Object.entries(rest)
      .map(([k, v]) => `${k} ${v}`)
      .join(", ")}), schedule ${config.schedule.kind}`,
    ...(config.clipNorm === undefined ? [] : [`- gradient clipped to norm ${config.clipNorm}`]),
    ...(config.average === undefined ? [] : [`- these weights are the moving average with decay ${config.average}`]),
    ...(config.start === undefined ? [] : [`- began with ${config.start}`]),
    adversary
      ? `- adversarial: ${adversary.share * 100} % of each batch attacked by ${adversary.attack} (${adversary.norm}, ε ${adversary.epsilon.toPrecision(3)}${adversary.attack === "fgsm" ? "" : `, ${adversary.steps} steps`})`
      : "- not adversarial",
    `- seed ${config.seed}; Faultline ${plan.version}, ${plan.runtime.runtime}, ${plan.runtime.provider}, ${plan.runtime.threads} threads`,
    "",
    "## Evaluation",
    "",
    ...(measured && evaluation
      ? [
          evaluation.describe(),
          "",
          "| metric | value |",
          "|---|---|",
          ...Object.entries(measured).map(([name, value]) => `| ${name} | ${value.toFixed(4)} |`),
        ]
      : ["Not evaluated on other data than it was trained on."]),
    "",
    "## Limits",
    "",
    `${adversary ? `It was trained against ${adversary.attack} alone` : "It was not trained against attacks"}: measure its robustness with \`faultline attack model.onnx\` before relying on it.${dataset.name === "synthetic" ? " Synthetic scenes are no photographs; nothing is known of how it does on those." : ""}`,
  ];
  return `${lines.join("\n")}\n`;
}

import type { OnnxModel, ValueInfo } from "../../engine/onnx/model.js";
import { meaningOf, type StepDescription, startFormula } from "../../methods/attacks/ascent/step-description.js";

/** What stands beside an exported step: everything that one must know to run it, and a loop that does. */
export function stepReadme(file: string, model: OnnxModel, step: StepDescription, spec: string): string {
  const json = `${file.replace(/\.onnx$/, "")}.json`;
  const table = (values: readonly ValueInfo[]) =>
    ["| name | type | shape | meaning |", "|---|---|---|---|", ...values.map((v) => row(v, step))].join("\n");
  const roles = step.perturbed.join(", ");
  const away = step.goal === "untargeted" ? "raises the loss against" : "lowers the loss against";
  return `# ${file}: one step of ${step.attack} as an ONNX model

${step.attack} (${step.source}) on a ${step.task} model: each run takes one step that ${away} \`target\`, within ${step.norm} distance ${step.epsilon} of the clean
image and within [0, 1]${step.grid === "8-bit" ? ", on the grid of 8-bit images" : ""}. The file holds the attacked model, its preprocessing, the loss, the gradient, the update and the projection, in
standard operators of opset ${model.opset}; any ONNX Runtime binding runs it. Images are float32 in [0, 1], RGB, [batch, channels, height, width],
whatever the model itself takes (${spec}).

## Inputs

${table(model.graph.inputs)}

## Outputs

${table(model.graph.outputs)}

## The loop

${json} holds the same facts for programs (and so does the model's metadata, under \`faultline.step\`).

1. ${step.start !== "clean" ? `Start at ${step.start === "ball" ? "a point drawn uniformly from the ball" : step.start === "projected" ? "the point of ball and box next to `clean + n`, n being Gaussian of deviation 1" : `\`x = ${startFormula[step.norm]}\`, n being uniform in [-1, 1]`}${step.grid === "8-bit" ? ", then at the nearest 8-bit image inside the ball" : ""}.` : "Start at the clean image."}
2. Run the model ${step.passes} times. Feed \`clean.*\`, \`target\`, \`epsilon\` unchanged, the scalars of pass t from \`scalars\`${step.noise.length > 0 ? ", fresh noise for each of `noise`" : ""}; feed each output in \`state\` to its input of the next pass,
   beginning with its \`initial\` value.
3. The adversarial image (${roles}) is then ${Object.values(step.result)
    .map((r) => `\`${r}\``)
    .join(", ")} of the last pass.
${step.restarts > 1 ? `\nDo this ${step.restarts} times from different starts and keep, for each image, the result of ${step.goal === "untargeted" ? "highest" : "lowest"} loss.\n` : ""}
Epsilon and step sizes are inputs: other numbers need no other file. \`objective\` and \`loss\` belong to the iterate that goes in, not to the one that comes out.

\`\`\`python
import json, numpy, onnxruntime
step = onnxruntime.InferenceSession("${file}")
about = json.load(open("${json}"))
feeds = {"epsilon": numpy.array(about["epsilon"], numpy.float32), "target": target}
for role in about["perturbed"]:
    feeds["clean." + role] = feeds["x." + role] = images[role]          # or a random start, see above
for role in about["fixed"]:
    feeds[role] = images[role]
shapes = {i.name: i.shape for i in step.get_inputs()}
for s in about["state"]:
    if not isinstance(s["initial"], dict):
        feeds[s["input"]] = numpy.full(shapes[s["input"]], s["initial"], numpy.float32)
    elif s["input"] != s["initial"]["input"]:
        feeds[s["input"]] = feeds[s["initial"]["input"]]
names = [o.name for o in step.get_outputs()]
for t in range(about["passes"]):
    for name, values in about["scalars"].items():
        feeds[name] = numpy.array(values[t], numpy.float32)
    for n in about["noise"]:
        feeds[n["input"]] = numpy.random.uniform(-1, 1, shapes[n["input"]]).astype(numpy.float32)
    out = dict(zip(names, step.run(None, feeds)))
    for s in about["state"]:
        feeds[s["input"]] = out[s["output"]]
adversarial = {role: out[name] for role, name in about["result"].items()}
\`\`\`
`;
}

function row(v: ValueInfo, step: StepDescription): string {
  return `| \`${v.name}\` | ${v.type} | ${v.shape!.length === 0 ? "scalar" : `[${v.shape!.join(", ")}]`} | ${meaningOf(v, step)} |`;
}

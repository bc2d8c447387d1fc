import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../engine/tensor/safetensors.js";
import { type Tensor, tensor } from "../../engine/tensor/tensor.js";
import { faultline, inputs, network, scratch, writeConvolution, writeScenes } from "./testing/scene.js";

const folder = scratch();
const data = folder.path("data");
beforeAll(async () => {
  await writeScenes(data, 2);
  await writeScenes(folder.path("strange"), 2, (i) => (i === 3 ? 77 : 0));
  await writeConvolution(folder.path("any.onnx"), 5);
  await writeConvolution(folder.path("one.onnx"), 1);
  await writeConvolution(folder.path("three.onnx"), 3);
  writeFileSync(folder.path("text.onnx"), "this is no model\n");
  writeFileSync(folder.path("right.spec.json"), '{ "task": "segmentation", "output": { "meaning": "logits" } }');
  writeFileSync(folder.path("bad.spec.json"), '{ "task": "segmentation", "rnage": "0..1" }');
  mkdirSync(folder.path("empty"));
  writeFileSync(
    folder.path("bright.safetensors"),
    writeSafetensors(new Map([["image", tensor("float32", [2, 3, 12, 14], new Float32Array(1008).fill(200))]])),
  );
  writeFileSync(folder.path("tall.safetensors"), writeSafetensors(new Map([["image", tensor("float32", [3, 12, 14])]])));
  const tensors = (name: string, values: Readonly<Record<string, Tensor>>) =>
    writeFileSync(folder.path(`${name}.safetensors`), writeSafetensors(new Map(Object.entries(values))));
  const images = (value: number) => tensor("float32", [2, 3, 12, 14], new Float32Array(1008).fill(value));
  tensors("images", { image: images(0.5) });
  tensors("not-a-number", { image: images(Number.NaN) });
  tensors("short", { label: tensor("int64", [2, 11, 14]) });
  tensors("halves", { label: tensor("float32", [2, 12, 14], new Float32Array(336).fill(0.5)) });
  tensors("noise-of-one", { noise: tensor("float32", [1, 3, 12, 14]) });
  tensors("loud", { noise: images(3) });
  await writeScenes(folder.path("ignored"), 2, () => 255);
  mkdirSync(folder.path("pairs"));
  for (const side of ["left", "right"]) symlinkSync(folder.path("data/images"), folder.path("pairs", side));
  symlinkSync("/dev/full", folder.path("full.onnx"));
});
afterAll(() => folder.remove());

const model = network("segmentation");
const attackOf =
  (model: string, task: string, ...images: string[]) =>
  (...more: string[]) => ["attack", model, "--task", task, ...images, "--out", folder.path("run"), ...more];
const attack = attackOf(model, "segmentation", "--data", data);
const attackAnySize = attackOf(folder.path("any.onnx"), "segmentation", "--data", data);
const attackClassifier = attackOf(network("classification"), "classification", "--data", data, "--attack", "ensemble");
const attackTensors = (...more: string[]) => [
  "attack",
  model,
  "--task",
  "segmentation",
  "--input",
  folder.path("images.safetensors"),
  "--steps",
  "2",
  ...more,
];
const file = (name: string) => folder.path(`${name}.safetensors`);
const compile = (...more: string[]) => ["compile", model, "--task", "segmentation", "-o", folder.path("step.onnx"), ...more];

type Case = readonly [what: string, args: () => readonly string[], sentence: RegExp];
const cases: readonly Case[] = [
  ["an unknown command", () => ["atack"], /unknown command/],
  ["no model", () => ["attack"], /missing required argument 'model'/],
  ["a flag of another command", () => attack("--write"), /unknown option '--write' \(a flag of faultline doctor\)/],
  [
    "a parameter of an attack elsewhere",
    () => ["doctor", model, "--data", data, "--epsilon", "8/255"],
    /unknown option '--epsilon' \(a flag of faultline attack\)/,
  ],
  [
    "a value of an attack's own --version, which is not the question for Faultline's",
    () => attackOf(model, "segmentation", "--data", data)("--attack", "autoattack", "--version", "best"),
    /^faultline: --version best: write one of standard, plus, rand/,
  ],
  ["a flag that nobody has", () => attack("--quartz"), /'--quartz' \(faultline attack --help lists/],
  [
    "a gradient in the model's place",
    () => ["grad", folder.path("any.onnx"), "-o", folder.path("empty/../any.onnx")],
    /is the file that is read/,
  ],
  [
    "a step in the model's place",
    () => ["compile", folder.path("any.onnx"), "--task", "segmentation", "--size", "8x8", "-o", folder.path("any.onnx")],
    /is the file that is read/,
  ],
  [
    "a checkpoint in its own place",
    () => ["convert", folder.path("bright.safetensors"), "-o", folder.path("bright.safetensors")],
    /is the file that is read/,
  ],
  [
    "tensors in their own place",
    () => attackTensors("--out", file("images")),
    /--out .*images\.safetensors is the file that is read/,
  ],
  ["a bound for tensors", () => attackTensors("--fail-under", "miou=40"), /--fail-under goes with --data/],
  [
    "a checkpoint that is not there",
    () => ["convert", folder.path("none.pth"), "-o", folder.path("n.onnx")],
    /none\.pth: there is no such file/,
  ],
  ["an audit of nothing", () => ["audit", folder.path("none")], /no run directory: there is no such folder/],
  ["an audit of what is no run", () => ["audit", data], /no run directory: it has no run\.json/],
  [
    "a run within the data",
    () => [...attackAnySize(), "--out", data],
    /data holds other files \(images, labels\); name a new or empty directory/,
  ],
  [
    "a file as data",
    () => ["attack", model, "--task", "segmentation", "--data", folder.path("text.onnx")],
    /is a file; a data set is a folder/,
  ],
  [
    "tensors as data",
    () => ["attack", model, "--task", "segmentation", "--data", inputs("segmentation")],
    /holds tensors, and --data takes a folder; attack and criticality take tensors with --input/,
  ],
  [
    "folders with other names",
    () => ["attack", network("flow"), "--task", "flow", "--data", folder.path("pairs")],
    /it holds the folders left \(2 pictures\), right \(2 pictures\)/,
  ],
  [
    "a mean in levels",
    () => attack("--mean", "124,116,104", "--std", "58,57,57"),
    /divide a mean and a deviation in levels of 0 to 255 by 255\), not 124/,
  ],
  ["a deviation of zero", () => attack("--mean", "0.5", "--std", "0"), /^faultline: --std: must be a number above 0, not 0/],
  ["steps that are no number", () => attack("--steps", "nan"), /--steps nan: write a whole number of at least 1/],
  ["a model that is not there", () => ["inspect", folder.path("none.onnx")], /none\.onnx: no such file/],
  [
    "a model that is not there, of no task",
    () => ["attack", folder.path("none.onnx"), "--data", data],
    /none\.onnx: no such file/,
  ],
  [
    "a training's file that is not there",
    () => ["attack", folder.path("any.onnx"), "--task", "segmentation", "--data", folder.path("none.json")],
    /There is no file .*none\.json/,
  ],
  ["a folder as model", () => ["inspect", folder.path()], /this is a folder/],
  ["a text as model", () => ["inspect", folder.path("text.onnx")], /not a whole ONNX file/],
  ["an unknown input in --shape", () => ["inspect", model, "--shape", "foo=1x3x8x8"], /no input "foo"/],
  ["a shape that the model does not take", () => ["inspect", model, "--shape", "1x3x8x8"], /does not fit/],
  ["a shape that is none", () => ["inspect", model, "--shape", "1;3"], /write it as NAME=/],
  [
    "an unknown output",
    () => ["grad", model, "--of", "nope", "-o", folder.path("g.onnx")],
    /no value "nope"; its outputs are output/,
  ],
  ["an unknown input", () => ["grad", model, "--wrt", "nope", "-o", folder.path("g.onnx")], /no value "nope"; its inputs are/],
  [
    "an output folder that is not there",
    () => ["grad", model, "-o", folder.path("no/where.onnx")],
    /-o .*where\.onnx: there is no folder .*no; make it/,
  ],
  ["an output that is a folder", () => ["grad", model, "-o", folder.path("empty")], /-o .*empty is a folder; name a file in it/],
  ["an output within a file", () => ["grad", model, "-o", folder.path("text.onnx/g.onnx")], /text\.onnx is a file, not a folder/],
  [
    "a trace in a folder that is not there",
    () => attackTensors("--trace", folder.path("no/trace.npz")),
    /--trace .*trace\.npz: there is no folder/,
  ],
  ["no task", () => ["attack", model, "--data", data], /--task \(classification, segmentation/],
  ["an unknown task", () => ["attack", model, "--task", "segmentaton", "--data", data], /Allowed choices are/],
  [
    "flags that do not suit a sidecar that is right",
    () => attack("--spec", folder.path("right.spec.json"), "--task", "depth"),
    /^faultline: What .*right\.spec\.json says and the flags change is not valid: output\.meaning/,
  ],
  ["a sidecar with a slip", () => attack("--spec", folder.path("bad.spec.json")), /bad\.spec\.json is not valid.*rnage/],
  ["no data", () => ["attack", model, "--task", "segmentation"], /--data DIR/],
  ["a data folder that is not there", () => ["attack", model, "--task", "segmentation", "--data", "none"], /no folder none/],
  [
    "a data folder without images",
    () => ["attack", model, "--task", "segmentation", "--data", folder.path("empty")],
    /no layout known/,
  ],
  ["a size that the model does not take", () => attack("--size-rule", "fixed:16x16"), /images of 12x14 .* only, not 16x16/],
  [
    "one image for a model of two",
    () => ["attack", network("flow"), "--task", "segmentation", "--data", data],
    /Nothing feeds the model's input image_2: the image goes to image_1. Say with "inputs"/,
  ],
  [
    "two images for a model of one",
    () => ["attack", model, "--task", "flow", "--data", data],
    /needs the images image1 and image2/,
  ],
  ["gray images for a model of color", () => attack("--channels", "gray"), /leave --channels gray out/],
  ["the other axes", () => attack("--layout", "nhwc"), /say --layout nchw/],
  ["tiles without their mismatch", () => attack("--tile", "12x14"), /--tile goes with --mismatch tile/],
  ["an overlap without tiles", () => attack("--overlap", "4"), /--overlap goes with --mismatch tile/],
  [
    "tiles that overlap whole",
    () => attack("--mismatch", "tile", "--overlap", "12"),
    /12x14 .* cannot overlap by 12; .* smaller than/,
  ],
  ["a negative overlap", () => attack("--mismatch", "tile", "--overlap=-1"), /cannot overlap by -1/],
  ["tiles of another size than the model's", () => attack("--mismatch", "tile", "--tile", "16x16"), /takes 12x14 only/],
  [
    "tiles of a size that is no multiple",
    () => [...attackAnySize("--mismatch", "tile", "--tile", "12x14"), "--size-rule", "multiple:8"],
    /12x14 .* do not suit the model, whose sizes are multiples of 8/,
  ],
  ["tiles of no size", () => attackAnySize("--mismatch", "tile"), /say with --tile HEIGHTxWIDTH/],
  [
    "a class tile by tile",
    () => ["attack", network("classification"), "--task", "classification", "--data", data, "--mismatch", "tile"],
    /a class is of the whole image/,
  ],
  [
    "tensors tile by tile",
    () => ["attack", model, "--task", "segmentation", "--input", inputs("segmentation"), "--mismatch", "tile"],
    /--mismatch tile goes with --data/,
  ],
  ["epsilon in levels", () => attack("--epsilon", "8"), /let every pixel take any value.*write 8\/255/],
  ["a step size in levels", () => attack("--step-size", "2"), /write 2\/255/],
  [
    "an ordinary picture as a region",
    () => attack("--region", "examples/images/astronaut-patch.png"),
    /is no mask: \d+ % of its pixels/,
  ],
  ["epsilon zero", () => attack("--epsilon", "0"), /--epsilon 0: write a radius above 0, such as 8\/255/],
  ["epsilon that is no number", () => attack("--epsilon", "8/x"), /write a number such as 0.03/],
  ["no steps", () => attack("--steps", "0"), /whole number of at least 1/],
  ["a seed that is no number", () => attack("--seed", "x"), /write a whole number/],
  ["an unknown loss", () => attack("--loss", "l7"), /no loss "l7"; it has cross-entropy/],
  ["an unknown alignment", () => attack("--alignment", "odd"), /no alignment "odd"; it has softmax, sigmoid/],
  ["an unknown image to perturb", () => attack("--perturb", "left"), /no image "left" to perturb/],
  ["an unknown output to attack", () => attack("--output-name", "probs"), /no value "probs"; its outputs are output/],
  ["a target beyond the classes", () => attack("--target", "9"), /classes 0 to 4/],
  ["a target for another task", () => attack("--target", "zero"), /takes a class number/],
  ["an unknown transform", () => attack("--eot", "blur"), /neither a built-in transform \(gaussian-noise/],
  ["a transform that moves pixels", () => attack("--eot", "resize-pad"), /moves pixels/],
  [
    "labels that the model does not have",
    () => [
      "attack",
      model,
      "--task",
      "segmentation",
      "--data",
      folder.path("strange"),
      "--out",
      folder.path("strange-run"),
      "--steps",
      "1",
    ],
    /not one of the 2 samples.*label 77, but the model's classes are 0 to 4/,
  ],
  [
    "a run directory within a file",
    () => ["attack", model, "--task", "segmentation", "--data", data, "--out", folder.path("text.onnx/run")],
    /text\.onnx is a file; name a directory/,
  ],
  ["a shard that is none", () => attack("--shard", "3/2"), /i from 1 to n/],
  ["a trace of a data set", () => attack("--trace", "t.safetensors"), /--trace goes with --input/],
  ["data and tensors at once", () => attack("--input", inputs("segmentation")), /name one of them/],
  [
    "a limit on tensors",
    () => ["attack", model, "--task", "segmentation", "--input", inputs("segmentation"), "--limit", "3"],
    /--limit goes with --data/,
  ],
  [
    "tensors in 0..255",
    () => ["attack", model, "--task", "segmentation", "--input", folder.path("bright.safetensors")],
    /holds the value 200; images are in \[0, 1\]/,
  ],
  [
    "tensors without a batch",
    () => ["attack", model, "--task", "segmentation", "--input", folder.path("tall.safetensors")],
    /images are \[batch, 3, height, width\]/,
  ],
  [
    "a text as tensors",
    () => ["attack", model, "--task", "segmentation", "--input", folder.path("text.onnx")],
    /text\.onnx|safetensors/,
  ],
  [
    "an image that is not a number",
    () => ["attack", model, "--task", "segmentation", "--input", file("not-a-number")],
    /not-a-number.safetensors holds the value NaN/,
  ],
  [
    "a target of another size",
    () => attackTensors("--target", file("short")),
    /target is int64\[2, 11, 14\], but .* it is int64\[2, 12, 14\]/,
  ],
  ["labels between the classes", () => attackTensors("--target", file("halves")), /value 0.5; labels are whole numbers/],
  [
    "a class as target of tensors",
    () => attackTensors("--target", "1"),
    /--target 1: with --input the target is a file of tensors/,
  ],
  ["a batch of tensors", () => attackTensors("--batch", "2"), /--batch 2 goes with --data/],
  ["a reference for tensors", () => attackTensors("--reference", "prediction"), /--reference goes with --data/],
  ["a size for tensors", () => attackTensors("--mismatch", "resize"), /--mismatch resize goes with --data/],
  ["a goal without its target", () => attackTensors("--goal", "targeted"), /--goal targeted: say with --target/],
  [
    "start noise for one image of two",
    () => attackTensors("--start", file("noise-of-one")),
    /noise is .*\[1, 3.* they must agree/,
  ],
  ["start noise that is none", () => attackTensors("--start", file("loud")), /value 3; start noise is in \[-1, 1\]/],
  [
    "a random start of an attack without",
    () => attackTensors("--attack", "bim", "--start", file("loud")),
    /bim starts at the clean image/,
  ],
  [
    "a target image out of range",
    () => ["attack", folder.path("three.onnx"), "--task", "restoration", "--input", file("images"), "--target", file("loud")],
    /value 3; images are in \[0, 1\]/,
  ],
  [
    "an alignment of an attack without",
    () => attack("--attack", "pgd", "--alignment", "sigmoid"),
    /--alignment: pgd has no such parameter; cospgd, apgd-cospgd and ensemble have it/,
  ],
  [
    "a step size of an attack that has its own",
    () => attack("--attack", "apgd", "--step-size", "0.01"),
    /--step-size: apgd has no such parameter; bim, pgd, .* have it/,
  ],
  [
    "a schedule of an attack that has its own",
    () => attack("--attack", "apgd", "--schedule", "cosine"),
    /--schedule: apgd has no such parameter; bim, .* have it/,
  ],
  [
    "a step size of an ensemble",
    () => attackClassifier("--step-size", "0.01"),
    /ensemble: in classification its members have no --step-size/,
  ],
  [
    "a schedule of an ensemble",
    () => attackClassifier("--schedule", "linear"),
    /ensemble: in classification its members have no schedule/,
  ],
  [
    "a loss of an ensemble",
    () => attackClassifier("--loss", "dlr"),
    /ensemble: in classification its members have a loss of their own/,
  ],
  [
    "an alignment of an ensemble",
    () => attackClassifier("--alignment", "sigmoid"),
    /ensemble: in classification its members have no alignment/,
  ],
  ["a step of two images", () => attack("--step-size", "2"), /cospgd: --step-size 2 in l_inf would let every pixel/],
  ["a flag as torchattacks has it", () => attack("--eps", "8/255"), /unknown option '--eps' \(did you mean --epsilon\?\)/],
  [
    "steps of an attack that takes one",
    () => attack("--attack", "fgsm", "--steps", "5"),
    /--steps: fgsm has no such parameter; .* have it/,
  ],
  ["samples of no transform", () => attack("--eot-samples", "5"), /--eot-samples goes with --eot/],
  [
    "an attack that is none",
    () => attack("--attack", "cosppgd"),
    /there is no attack "cosppgd" \(did you mean cospgd\?\); there are fgsm/,
  ],
  [
    "published CosPGD towards a disparity",
    () => ["attack", network("disparity"), "--task", "disparity", "--data", folder.path("pairs"), "--target", "zero"],
    /each pixel weighs 1 - 1 = 0 .* say --alignment residual/,
  ],
  [
    "labels that are all ignored",
    () => [...attackAnySize("--data", folder.path("ignored"), "--out", folder.path("ignored-run"), "--steps", "1")],
    /no label that counts: all are among the ignored ones \(255, -1\)/,
  ],
  [
    "one channel taken for classes",
    () => ["attack", folder.path("one.onnx"), "--task", "segmentation", "--data", data, "--out", folder.path("one-run")],
    /has 1 channel, .* say binary-logits or binary-probabilities/,
  ],
  [
    "classes taken for an image",
    () => ["attack", folder.path("any.onnx"), "--task", "restoration", "--data", data, "--out", folder.path("restored-run")],
    /has 5 channels; restoration has 3/,
  ],
  [
    "an audit of a run of before attacks had parameters of their own",
    () => {
      mkdirSync(folder.path("old"), { recursive: true });
      writeFileSync(
        folder.path("old", "run.json"),
        '{ "command": "attack", "version": "0.1.0", "attack": { "name": "pgd", "scale": 1, "steps": 20 } }',
      );
      return ["audit", folder.path("old")];
    },
    /old\/run\.json is in the form of an earlier version, .*; run the attack again/,
  ],
  ["a merge of what is no run", () => ["merge", data, "--out", folder.path("merged")], /no run directory/],
  [
    "a step of an ensemble",
    () => compile("--attack", "ensemble"),
    /made of several attacks; take one of them: apgd, apgd-cospgd, segpgd, cospgd/,
  ],
  ["a step of another size", () => compile("--size", "32x32"), /images of 12x14 only/],
  ["a start graph of an attack without", () => compile("--attack", "fgsm", "--also", "start"), /no start graph/],
  ["a step that is no .onnx", () => ["compile", model, "--task", "segmentation", "-o", folder.path("step")], /ends in \.onnx/],
  ["a doctor without data", () => ["doctor", model, "--task", "segmentation"], /required option '--data/],
];

describe("every mistake gets one sentence and exit code 1", () => {
  it.each(cases)("%s", async (_, args, sentence) => {
    const typed = args();
    const out = typed[typed.lastIndexOf("--out") + 1]!;
    const before = existsSync(out);
    const { code, err } = await faultline(...typed);
    expect(err).toMatch(sentence);
    expect(code, err).toBe(1);
    expect(err, "no stack").not.toMatch(/\n\s+at |unexpected error/);
    const sentences = err.split("\n").filter((l) => /^(faultline|error):/.test(l));
    expect(sentences, err).toHaveLength(1);
    expect(existsSync(out), "nothing is left behind").toBe(before);
  });
});

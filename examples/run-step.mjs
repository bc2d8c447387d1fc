// Runs an exported attack step with plain onnxruntime-node; nothing of Faultline is needed.
//
//     faultline compile model.onnx --task segmentation --size 512x512 --attack pgd -o step.onnx --also start
//     node examples/run-step.mjs step.onnx data.safetensors adversarial.safetensors
//
// data.safetensors holds each image by its role ("image"; "image1" and "image2"; "left" and "right"), float32 [B, 3, H, W] in [0, 1], and "target";
// optionally "start.<role>", the point to begin at (default: a random one from step.start.onnx, or the clean image), and "valid" and "region" where the
// step takes them.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const [stepFile, dataFile, outputFile] = process.argv.slice(2);
if (!outputFile) {
  console.error("usage: node run-step.mjs step.onnx data.safetensors adversarial.safetensors");
  process.exit(1);
}
const about = JSON.parse(readFileSync(stepFile.replace(/\.onnx$/, ".json"), "utf8"));
const step = await ort.InferenceSession.create(stepFile);
const data = readTensors(dataFile);
const shapesOf = (session) => Object.fromEntries(session.inputMetadata.map(({ name, shape }) => [name, shape]));
const shapes = shapesOf(step);
const number = (value) => new ort.Tensor("float32", Float32Array.of(value), []);

const feeds = { epsilon: number(about.epsilon) };
for (const name of ["target", "valid", "region", ...about.fixed]) if (shapes[name]) feeds[name] = data[name];
for (const [role, point] of Object.entries(await startingPoints())) {
  feeds[`clean.${role}`] = data[role];
  feeds[`x.${role}`] = point;
}
for (const { input, initial } of about.state) {
  if (typeof initial === "number") feeds[input] = filled(shapes[input], () => initial);
  else feeds[input] = feeds[initial.input];
}
let outputs;
for (let t = 0; t < about.passes; t++) {
  for (const [name, values] of Object.entries(about.scalars)) feeds[name] = number(values[t]);
  for (const { input } of about.noise) feeds[input] = filled(shapes[input], () => 2 * Math.random() - 1);
  outputs = await step.run(feeds);
  for (const { input, output } of about.state) feeds[input] = outputs[output];
  console.log(`step ${t}: loss ${Array.from(outputs.loss.data, (v) => v.toPrecision(6)).join(" ")}`);
}
writeTensors(outputFile, Object.fromEntries(Object.entries(about.result).map(([role, name]) => [role, outputs[name]])));

/** By role: those in the data; else random ones, where the attack has them and its start graph lies beside the step; else the clean images. */
async function startingPoints() {
  const points = Object.fromEntries(about.perturbed.map((role) => [role, data[`start.${role}`] ?? data[role]]));
  if (about.start === "clean" || about.perturbed.some((role) => data[`start.${role}`])) return points;
  const startFile = stepFile.replace(/\.onnx$/, ".start.onnx");
  if (!existsSync(startFile)) {
    console.log(
      `${about.attack} begins at a random point; without ${startFile} (compile with --also start) this begins at the clean image`,
    );
    return points;
  }
  const session = await ort.InferenceSession.create(startFile);
  const inputs = { epsilon: number(about.epsilon) };
  for (const [name, shape] of Object.entries(shapesOf(session))) {
    if (name.startsWith("clean.")) inputs[name] = data[name.slice("clean.".length)];
    if (name.startsWith("start.")) inputs[name] = filled(shape, () => 2 * Math.random() - 1);
    if (name === "region") inputs.region = data.region;
  }
  const start = await session.run(inputs);
  return Object.fromEntries(about.perturbed.map((role) => [role, start[`next.${role}`]]));
}

function filled(shape, value) {
  const size = shape.reduce((a, b) => a * b, 1);
  return new ort.Tensor("float32", Float32Array.from({ length: size }, value), shape);
}

/** The safetensors format: length of a JSON header, the header, raw little-endian data. */
function readTensors(file) {
  const bytes = readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, start).toString("utf8"));
  const arrays = { F32: ["float32", Float32Array], I64: ["int64", BigInt64Array] };
  return Object.fromEntries(
    Object.entries(header).flatMap(([name, { dtype, shape, data_offsets }]) => {
      if (!arrays[dtype]) return []; // another type, or "__metadata__"
      const [type, TypedArray] = arrays[dtype];
      const own = new Uint8Array(bytes.subarray(start + data_offsets[0], start + data_offsets[1]));
      return [[name, new ort.Tensor(type, new TypedArray(own.buffer), shape)]];
    }),
  );
}

function writeTensors(file, tensors) {
  const parts = Object.values(tensors).map((t) => Buffer.from(t.data.buffer, t.data.byteOffset, t.data.byteLength));
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, t], i) => {
    const from = offset;
    offset += parts[i].length;
    return [name, { dtype: "F32", shape: t.dims, data_offsets: [from, offset] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileSync(file, Buffer.concat([length, padded, ...parts]));
}

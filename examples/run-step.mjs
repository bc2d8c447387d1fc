// Runs an exported attack step with plain onnxruntime-node; nothing of Faultline is needed.
//
//     faultline compile model.onnx --task segmentation --size 512x512 --attack pgd -o step.onnx
//     node examples/run-step.mjs step.onnx data.safetensors adversarial.safetensors
//
// data.safetensors holds each image by its role ("image"; "image1" and "image2"; "left" and "right"), float32 [B, 3, H, W] in [0, 1], and "target";
// optionally "start.<role>", the point to begin at (default: the clean image), and "valid" and "region" where the step takes them.
import { readFileSync, writeFileSync } from "node:fs";
import * as ort from "onnxruntime-node";

const [stepFile, dataFile, outputFile] = process.argv.slice(2);
if (!outputFile) {
  console.error("usage: node run-step.mjs step.onnx data.safetensors adversarial.safetensors");
  process.exit(1);
}
const about = JSON.parse(readFileSync(stepFile.replace(/\.onnx$/, ".json"), "utf8"));
const step = await ort.InferenceSession.create(stepFile);
const data = readTensors(dataFile);
const types = Object.fromEntries(step.inputMetadata.map(({ name, type, shape }) => [name, { type, shape }]));
const number = (value) => new ort.Tensor("float32", Float32Array.of(value), []);

const feeds = { epsilon: number(about.epsilon) };
for (const name of ["target", "valid", "region", ...about.fixed]) if (types[name]) feeds[name] = data[name];
for (const role of about.perturbed) {
  feeds[`clean.${role}`] = data[role];
  feeds[`x.${role}`] = data[`start.${role}`] ?? data[role];
}
for (const { input, initial } of about.state) {
  if (typeof initial === "number") feeds[input] = filled(types[input].shape, () => initial);
  else feeds[input] = feeds[initial.input];
}
let outputs;
for (let t = 0; t < about.passes; t++) {
  for (const [name, values] of Object.entries(about.scalars)) feeds[name] = number(values[t]);
  for (const { input } of about.noise) feeds[input] = filled(types[input].shape, () => 2 * Math.random() - 1);
  outputs = await step.run(feeds);
  for (const { input, output } of about.state) feeds[input] = outputs[output];
  console.log(`step ${t}: loss ${Array.from(outputs.loss.data, (v) => v.toPrecision(6)).join(" ")}`);
}
writeTensors(outputFile, Object.fromEntries(Object.entries(about.result).map(([role, name]) => [role, outputs[name]])));

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
    Object.entries(header).flatMap(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        if (!arrays[dtype]) return [];
        const [type, TypedArray] = arrays[dtype];
        const data = new TypedArray(new Uint8Array(bytes.subarray(start + from, start + to)).buffer);
        return [[name, new ort.Tensor(type, data, shape)]];
      },
    ),
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

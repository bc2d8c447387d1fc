// What goes wrong in the first hour. Each line printed is what the researcher reads.
import { attack, loadModel, pgd, readTensors, tensor } from "faultline";

const data = await readTensors("lines.npz");
const [images, labels] = [data.get("images"), data.get("labels")];
const model = await loadModel("direction.onnx", undefined, { threads: 1 });
const as255 = tensor(
  "float32",
  images.shape,
  images.data.map((v) => 255 * v),
);
const channelsLast = tensor("float32", [10, 48, 192, 3], images.data);

const tries = {
  "0..255": () => attack(model, as255, labels, pgd({ epsilon: 8 / 255 })),
  "channels last": () => attack(model, channelsLast, labels, pgd({ epsilon: 8 / 255 })),
  "epsilon of 255": () => attack(model, images, labels, pgd({ epsilon: 8 })),
  "a parameter's other name": () => attack(model, images, labels, pgd({ eps: 8 / 255 })),
  "labels from 1": () =>
    attack(
      model,
      images,
      Array.from(labels.data, (v) => Number(v) + 1),
      pgd({ epsilon: 8 / 255 }),
    ),
  "too few labels": () => model.evaluate(images, [0, 1]),
  "a layer's name": () => model.features(images, "conv2d_1.tmp"),
  "no specification": () => loadModel("unknown.onnx"),
  "no model": () => loadModel("nowhere.onnx", { task: "classification" }),
  "a range in words": () => loadModel("direction.onnx", { task: "classification", range: "ImageNet" }),
};
const said = {};
for (const [what, call] of Object.entries(tries))
  said[what] = await Promise.resolve()
    .then(call)
    .then(
      () => "nothing",
      (e) => e.message,
    );
console.log(JSON.stringify(said));
await model.dispose();

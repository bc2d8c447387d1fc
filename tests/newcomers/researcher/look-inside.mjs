// What a researcher looks at next: a map within the model, what the loss says of it, and the image's gradient.
import { loadModel, readTensors } from "faultline";

const data = await readTensors("lines.npz");
const [images, labels] = [data.get("images"), data.get("labels")];
const model = await loadModel("direction.onnx", undefined, { threads: 1 });
const name = process.argv[2];
const features = await model.features(images, name);
const { gradient: slopes } = await model.gradient(images, labels, { wrt: name });
const { gradient, loss, warnings } = await model.gradient(images, labels);
const { gradient: saliency } = await model.gradient(images, undefined, { of: name });
console.log(
  JSON.stringify({
    features: features.shape,
    slopes: slopes.shape,
    gradient: gradient.shape,
    saliency: saliency.shape,
    loss: [...loss],
    warnings,
  }),
);
await model.dispose();

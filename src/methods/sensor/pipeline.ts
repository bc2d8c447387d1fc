import type { Network } from "../../vision/nn/model.js";
import { SensorError } from "./error.js";
import type { Sensor } from "./sensor.js";

/**
 * What the network behind the sensor predicts: one answer for the image, or a value for each place, which is brought back to the image's grid.
 */
export type PredictionKind = "image-wise" | "pixel-wise";

/**
 * A network that sees through a sensor, as one network: parameters are named `sensor.*` and `network.*`.
 *
 * @throws SensorError (when the network is built) where a pixel-wise prediction is no map [N, C, h, w].
 * @example throughSensor(sensor({ layout: "rectangular", height: 32, width: 64 }), findNetwork(configuration).network, "pixel-wise")
 */
export function throughSensor(eye: Sensor, network: Network, predicts: PredictionKind): Network {
  return (p, image, ...others) => {
    if (!image || others.length > 0)
      throw new SensorError("Through a sensor goes one image; networks of two views have none yet.");
    const at = p.at("sensor");
    const prediction = network(p.at("network"), eye(at, image));
    if (predicts === "image-wise") return prediction;
    if (prediction.shape.length !== 4)
      throw new SensorError(
        `A pixel-wise prediction is [N, C, H, W], but this network's is [${prediction.shape.join(", ")}]; is it image-wise?`,
      );
    return eye.toImageGrid(at, prediction, [image.shape[2]!, image.shape[3]!]);
  };
}

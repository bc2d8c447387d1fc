import { z } from "zod";
import { layoutNames } from "../../methods/sensor/layouts/names.js";
import { check, fewProblems } from "../../vision/spec/check.js";
import { taskNames, tasks } from "../../vision/tasks/index.js";
import { networkChoiceSchema } from "../networks/configuration.js";
import { refuseRecord } from "../runs/refuse-record.js";
import { ConfigError, readJson, type TrainSettings, trainConfigSchema } from "../train/config.js";

const whole = z.number().int().positive();
const layoutName = z.enum(layoutNames);

const integrationSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("exact") }),
  z.strictObject({
    kind: z.literal("samples"),
    /** Per pixel. */
    count: whole.default(16),
    seed: z.union([z.number(), z.string()]).meta({ allowed: "a number or a text" }).default(0),
    gradient: z.enum(["boundary", "interior"]).default("boundary"),
  }),
]);

/** The sensor, and how its layout is learned. */
export const sensorSchema = z.strictObject({
  /** One, or several of which the first acts first. */
  layout: z
    .union([layoutName, z.array(layoutName).nonempty()])
    .meta({ allowed: `one of ${layoutNames.join(", ")}, or a list of them` }),
  height: whole,
  width: whole,
  integration: integrationSchema.default({ kind: "samples", count: 16, seed: 0, gradient: "boundary" }),
  /** Where the parameters begin; default 0, the uniform layout. */
  theta: z.array(z.number().gt(-1).lt(1)).optional(),
  /** Names of parameters that stay where they begin. */
  frozen: z.array(z.string()).default([]),
  /** Of the layout; default: the network's. */
  learningRate: z.number().positive().optional(),
});

/** A model from elsewhere in the place of a network of ours. */
const importedSchema = z.strictObject({
  onnx: z.string(),
  /** Its specification; default: model.spec.json beside model.onnx. */
  spec: z.string().optional(),
  /** Patterns of the names of weights that are trained; default: none, only the layout learns. */
  trained: z.array(z.string()).default([]),
});

const allowed = "a network as for faultline train, or an object with onnx";

export const sensorConfigSchema = trainConfigSchema()
  .omit({ network: true, plugins: true })
  .extend({ network: z.union([importedSchema, networkChoiceSchema]).meta({ allowed }), sensor: sensorSchema });

/** What a sensor run is. Complete after parsing: defaults are filled in. */
export type SensorConfig = z.infer<typeof sensorConfigSchema>;
/** The same, as training takes it. */
export type SensorSettings = TrainSettings & Pick<SensorConfig, "network" | "sensor">;

/** @throws ConfigError naming every field that is wrong, or the first thing that does not fit a sensor. */
export function readSensorConfig(path: string): SensorConfig {
  const value = readJson(path);
  refuseRecord(value, path, "the configuration of a training with a sensor");
  return parseSensorConfig(value, path);
}

/** Tasks of one image, whose predictions can be brought back to the image's grid, or need not be. */
const sensed = taskNames.filter((name) => tasks[name].roles.length === 1);

export function parseSensorConfig(value: unknown, where: string): SensorConfig {
  const checked = check(sensorConfigSchema, value);
  if ("problems" in checked) throw new ConfigError(`${where} is not valid: ${fewProblems(checked.problems)}.`);
  const config = checked.data;
  if (!sensed.includes(config.task))
    throw new ConfigError(
      `${where}: a sensor sees one image, for ${sensed.join(", ")}; ${config.task} has two, whose displacements would be in pixels of the sensor.`,
    );
  if (!config.evaluation)
    throw new ConfigError(`${where}: layouts are compared by their scores, so say on which data: evaluation is missing.`);
  if ([config.sensor.layout].flat().every((name) => name === "uniform"))
    throw new ConfigError(`${where}: sensor.layout is uniform, which has nothing to learn and is compared with in any case.`);
  return config;
}

import { Graph } from "../engine/graph/graph.js";
import { cast } from "../engine/operators/index.js";
import type { Engine, Feeds } from "../engine/runtime/engine.js";
import { isFloat, type Tensor, tensor } from "../engine/tensor/tensor.js";
import { type Conversion, conversionText, countConversions } from "../vision/data/conversions.js";
import { frameImage, framing } from "../vision/framed-predictor.js";
import type { ModelSpec } from "../vision/spec/model-spec.js";
import { preprocess } from "../vision/spec/splice.js";
import { tasks } from "../vision/tasks/index.js";
import { prepare } from "./attack/prepare.js";
import { UsageError } from "./cli/errors.js";
import { openData } from "./data/open-data.js";

export interface Pictures {
  /** One feed for each picture (or pair), in the form that the model takes. */
  readonly feeds: readonly Feeds[];
  /** The same pictures in [0, 1], [1, 3, H, W] by the model's input. */
  readonly images: readonly Readonly<Record<string, Tensor<"float32">>>[];
  /** Names of the samples. */
  readonly samples: readonly string[];
  /** Where they come from, in words. */
  readonly source: string;
}

export interface PictureOptions {
  readonly data?: string | undefined;
  /** Done to them as they are read: "fog:3". */
  readonly corruption?: string | undefined;
  readonly count: number;
  /** Of synthetic pictures. */
  readonly seed: number;
}

/**
 * Pictures as a model takes them, for looking into it: of a data set, or a few synthetic scenes. They are brought to the model's own size, their shape
 * kept: scaled, and surrounded as the task has it.
 *
 * @param graph specialized, with images as its only inputs.
 * @throws UsageError where an input is no batch of one image.
 */
export async function pictureFeeds(
  engine: Engine,
  graph: Graph,
  spec: ModelSpec,
  { data, corruption, count, seed }: PictureOptions,
): Promise<Pictures> {
  const [rows, columns] = spec.layout === "nchw" ? [2, 3] : [1, 2];
  for (const { name, type, shape } of graph.inputs) {
    if (!isFloat(type))
      throw new UsageError(`input "${name}" is ${type}[${shape.join(", ")}], and pictures are fed as floating-point numbers.`);
    if (shape.length !== 4 || shape[0] !== 1)
      throw new UsageError(
        `input "${name}" is ${type}[${shape.join(", ")}], and pictures are fed one at a time; say --shape ${name}=1x3xHxW.`,
      );
  }
  const { shape } = graph.inputs[0]!;
  const [height, width] = [shape[rows]!, shape[columns]!];
  const side = Math.max(32, Math.min(256, height, width));
  const name = data ?? `synthetic:${side}x${side},length=${count},seed=${seed}`;
  const { dataset } = await openData(name, { task: spec.task, corruption }, { rule: "fixed", height, width });
  const taken = Math.min(count, dataset.length);
  const s = taken === 1 ? "" : "s";
  const atSize = { rule: "fixed", height, width } as const;
  const program = await engine.compile(preprocessing(graph, spec, [height, width]));
  const feeds: Feeds[] = [];
  const shown: Record<string, Tensor<"float32">>[] = [];
  const samples: string[] = [];
  const conversions: (readonly Conversion[])[] = [];
  let fitted = 0;
  try {
    for (let i = 0; i < taken; i++) {
      const sample = await dataset.sample(Math.floor((i * dataset.length) / taken));
      const roles = Object.keys(sample.inputs);
      const { images: given, converted = [], ...extent } = prepare(sample, i, roles, spec, { mismatch: "pad" });
      conversions.push(converted);
      if (extent.height !== height || extent.width !== width) fitted++;
      const pictures = Object.values(given).map((image) => frameImage(image, framing(extent, atSize, "pad"), tasks[spec.task]));
      const images = Object.fromEntries(
        graph.inputs.map(({ name }, k) => {
          const picture = pictures[Math.min(k, pictures.length - 1)]!;
          return [name, tensor("float32", [1, 3, height, width], picture.data)];
        }),
      );
      feeds.push(await program.run(Object.fromEntries(Object.entries(images).map(([name, t]) => [`picture.${name}`, t]))));
      shown.push(images);
      samples.push(sample.id);
    }
  } finally {
    program.dispose();
  }
  const which = fitted === taken ? "" : `${fitted} of them `;
  const sized = fitted === 0 ? `of ${width}x${height}` : `${which}brought to ${width}x${height}, their shape kept`;
  const conversion = conversionText(countConversions(conversions), "rounded to 8");
  return {
    feeds,
    images: shown,
    samples,
    source: `${data ? `${taken} picture${s} of ${data}` : `${taken} synthetic picture${s}`}${corruption ? ` under ${corruption}` : ""}${fitted === 0 ? " " : ", "}${sized}${conversion === "" ? "" : `; converted as they were read: ${conversion}`}`,
  };
}

function preprocessing(graph: Graph, spec: ModelSpec, [height, width]: readonly [number, number]): Graph {
  const own = new Graph();
  for (const { name, type } of graph.inputs) {
    const image = own.input(`picture.${name}`, "float32", [1, 3, height, width]);
    own.output(name, cast(preprocess(image, spec), type));
  }
  return own;
}

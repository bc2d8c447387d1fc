import type { Engine } from "../../engine/runtime/engine.js";
import { fitted } from "../../vision/data/index.js";
import { page as document } from "../report/document.js";
import { plain } from "../report/html.js";
import { animation, gridLinesOf, gridOver, type MiddleShare, middleInWords, middleShare } from "./draw.js";
import { chart } from "./figures.js";
import type { SensorPlan, Trained } from "./run-sensor.js";

/** Frames of the animated picture at most. */
const frames = 48;

/** grid.svg, course.webp, score.svg, theta.svg and report.html. */
export async function writeSensorReport(
  engine: Engine,
  plan: SensorPlan,
  trained: readonly Trained[],
  write: (name: string, content: string | Uint8Array) => void,
): Promise<void> {
  const learned = trained.find(({ kind }) => kind === "learned")!;
  const { eye, training } = learned.pipeline;
  const [height, width] = plan.config.evaluation?.crop ?? training.size;
  const { inputs } = await fitted(training.evaluation!, { kind: "crop", height, width }).sample(0);
  const scene = Object.values(inputs)[0]!;
  const theta = eye.thetaOf(learned.result.weights.get("sensor.raw")!.data as Float32Array);
  const observed = [
    { step: 0, theta: plan.config.sensor.theta ?? eye.layout.parameters.map(() => 0) },
    ...learned.records.flatMap(({ index, observed: o }) => (o?.theta ? [{ step: index, theta: o.theta }] : [])),
  ];
  const lines = await gridLinesOf(engine, eye.layout, eye.size);
  const grid = await gridOver(scene, await lines.at(theta));
  const kept = observed.filter((_, i) => i === observed.length - 1 || i % Math.ceil(observed.length / frames) === 0);
  const moments = [];
  for (const { step, theta: at } of kept)
    moments.push({ caption: `step ${step}: ${inWords(learned, at)}`, lines: await lines.at(at) });
  lines.dispose();

  const metric = Object.keys(learned.result.evaluated?.evaluation ?? {})[0] ?? "score";
  const score = chart(
    metric,
    trained.map(({ kind, records }) => ({
      name: kind,
      points: records.flatMap(({ index, evaluation }) => {
        const value = evaluation?.[metric];
        return value === undefined ? [] : [{ step: index, value }];
      }),
    })),
  );
  const course = chart(
    "θ",
    eye.layout.parameters.map((name, i) => ({ name, points: observed.map(({ step, theta: at }) => ({ step, value: at[i]! })) })),
    [-0.6, 0.6],
  );
  const moving = await animation(scene, moments);
  write("grid.svg", grid);
  write("course.webp", moving);
  write("score.svg", `${score}\n`);
  write("theta.svg", `${course}\n`);
  write(
    "report.html",
    page(
      plan,
      trained,
      theta,
      metric,
      await middleShare(engine, eye.layout, theta),
      { score, course },
      {
        grid: `data:image/svg+xml;base64,${Buffer.from(grid).toString("base64")}`,
        course: `data:image/webp;base64,${Buffer.from(moving).toString("base64")}`,
      },
    ),
  );
}

const inWords = ({ pipeline }: Trained, theta: readonly number[]): string =>
  pipeline.eye.layout.parameters.map((name, i) => `${name} ${theta[i]!.toFixed(3)}`).join(", ");

function page(
  plan: SensorPlan,
  trained: readonly Trained[],
  theta: readonly number[],
  metric: string,
  middle: MiddleShare,
  { score, course }: { readonly score: string; readonly course: string },
  pictures: { readonly grid: string; readonly course: string },
): string {
  const { sensor, task, seed, batch, steps } = plan.config;
  const [learned, uniform] = trained as [Trained, Trained];
  const { layout } = learned.pipeline.eye;
  const measured = ({ result }: Trained, name: string) => result.evaluated?.evaluation?.[name];
  const [a, b] = [measured(learned, metric), measured(uniform, metric)];
  const digits = (v: number | undefined) => (v === undefined ? "not a number" : v.toFixed(4));
  const names = Object.keys({ ...learned.result.evaluated?.evaluation, ...uniform.result.evaluated?.evaluation });
  const title = `${sensor.height}x${sensor.width} pixels, ${layout.name} layout, for ${task}: ${metric} ${digits(a)} learned, ${digits(b)} uniform`;
  const row = (name: string) =>
    `<tr><td>${plain(name)}</td><td>${digits(measured(learned, name))}</td><td>${digits(measured(uniform, name))}</td></tr>`;
  const fact = (name: string, value: string) => `<div><dt>${name}</dt><dd>${plain(value)}</dd></div>`;
  return document(
    "sensor layout",
    title,
    `<h1>${plain(title)}</h1>
<dl class="facts">${layout.parameters.map((name, i) => fact(plain(name), theta[i]!.toFixed(3))).join("")}${fact("steps", String(learned.result.steps))}${fact("batch", String(batch))}${fact("seed", String(seed))}</dl>
<h2>Where the pixels lie</h2>
<p class="lead">The learned grid over the first evaluation scene. ${plain(middleInWords(middle))}</p>
<figure class="wide"><img src="${pictures.grid}" alt="the learned pixel grid over a scene"></figure>
<figure class="wide"><img src="${pictures.course}" alt="the grid as it was learned"><figcaption>How it came about: a frame for each line of the records, evenly thinned out to ${frames} where there are more.</figcaption></figure>
<div class="charts"><figure>${course}</figure><figure>${score}</figure></div>
<h2>Scores</h2>
<p class="lead">Both sensors have ${sensor.height * sensor.width} pixels; network, data, batches and seed are the same. One seed says little: repeat with others before believing a difference.</p>
<div class="scroll"><table><thead><tr><th>metric</th><th>learned</th><th>uniform</th></tr></thead><tbody>${names.map(row).join("")}</tbody></table></div>
<h2>Setting</h2>
<p>Trained on ${plain(learned.pipeline.training.dataset.describe())} ${steps} steps at most. Measured on ${plain(learned.pipeline.training.evaluation!.describe())}</p>
<p>Integration: ${plain(sensor.integration.kind === "exact" ? "exact" : `${sensor.integration.count} jittered samples per pixel, ${sensor.integration.gradient} estimator of the layout's gradient`)}. <code>learned/pipeline.onnx</code> and <code>uniform/pipeline.onnx</code> are the whole way from the image to the prediction: <code>npx faultline attack learned/pipeline.onnx --data DIR</code> attacks the scene through the sensor.</p>
`,
  );
}

import { existsSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { layoutOf } from "../../../methods/sensor/layouts/index.js";
import { conversionText, countConversions } from "../../../vision/data/conversions.js";
import { hashFile } from "../../hash-file.js";
import { interruptible, progress, sayUnless } from "../../runs/progress.js";
import { readSensorConfig } from "../../sensor/config.js";
import { middleInWords } from "../../sensor/draw.js";
import { runSensor, type SensorPlan, stepsDone } from "../../sensor/run-sensor.js";
import { simulateSensor } from "../../sensor/simulate.js";
import type { SensorSimulateFlags, SensorTrainFlags } from "../commands/sensor.js";
import { version } from "../version.js";
import { withEngine } from "./engine.js";

/** `faultline sensor train config.json` */
export async function sensorTrain(path: string, flags: SensorTrainFlags): Promise<void> {
  const config = readSensorConfig(path);
  const start = config.start === undefined ? undefined : await hashFile(config.start);
  await withEngine(flags, async (engine) => {
    const { provider, runtime, threads, optimization } = engine.info;
    const plan: SensorPlan = {
      command: "sensor train",
      version,
      config,
      ...(start && { start }),
      runtime: { provider, runtime, threads, optimization },
    };
    const out = flags.out ?? `runs/${basename(path, ".json")}`;
    const done = stepsDone(out);
    const say = sayUnless(flags.quiet);
    const stop = interruptible();
    const bar = progress("sensor train", 2 * config.steps, done, say);
    try {
      say(beginning(out, done, 2 * config.steps));
      const end = await runSensor(engine, plan, out, {
        signal: stop.signal,
        onProgress: (step, note) => bar.update(step, note),
        onNote: (sentence) => say(`note: ${sentence}\n`),
      });
      bar.stop();
      if (end === "stopped") {
        process.stderr.write("stopped; run the same command again to go on\n");
        process.exitCode = 130;
        return;
      }
      for (const { kind, result } of end) {
        const metrics = Object.entries(result.evaluated?.evaluation ?? {}).map(([name, value]) => `${name} ${value.toFixed(3)}`);
        process.stdout.write(`${kind}: ${metrics.join(", ")}\n`);
      }
      process.stdout.write(`${out}/learned/pipeline.onnx\n${out}/report.html\n`);
    } finally {
      bar.stop();
      stop.done();
    }
  });
}

/** What is to be done: all of it, the rest, or nothing more. */
function beginning(out: string, done: number, total: number): string {
  if (done === 0) return `run directory ${out}\n`;
  if (!existsSync(join(out, "report.html"))) return `resuming ${out}: ${done} of ${total} steps are done\n`;
  return `${out} is finished: what follows is its result; --out DIR begins another run\n`;
}

/** `faultline sensor simulate image.png` */
export async function sensorSimulate(path: string, flags: SensorSimulateFlags): Promise<void> {
  const { layout: layouts, size, exact, samples = 16, seed = 0 } = flags;
  const { parameters } = layoutOf(layouts);
  const theta = flags.theta ?? parameters.map(() => 0);
  if (flags.theta?.length === parameters.length && theta.length > 1)
    process.stderr.write(`--theta: ${parameters.map((name, i) => `${name} ${theta[i]}`).join(", ")}\n`);
  const out = flags.out ?? `runs/sensor-${basename(path, extname(path))}`;
  await withEngine(flags, async (engine) => {
    const integration = exact ? ({ kind: "exact" } as const) : ({ kind: "samples", count: samples, seed } as const);
    const { files, psnr, middle, converted } = await simulateSensor(engine, path, out, { layouts, theta, size, integration });
    const conversions = conversionText(countConversions([converted]), "read in full");
    if (conversions !== "") process.stderr.write(`note: ${path} is a picture ${conversions.replace(/^1 /, "")}\n`);
    process.stdout.write(`${middleInWords(middle)}\nThe reconstruction's PSNR is ${psnr.toFixed(2)} dB.\n${files.join("\n")}\n`);
  });
}

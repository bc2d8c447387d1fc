import type { Tensor } from "../../engine/tensor/tensor.js";
import { ClassificationMetric, type ClassificationSample } from "../../vision/metrics/classification.js";
import { DisparityMetric, type DisparitySample } from "../../vision/metrics/disparity.js";
import { FlowMetric, type FlowSample } from "../../vision/metrics/flow.js";
import { RestorationMetric, type RestorationSample } from "../../vision/metrics/restoration.js";
import { SegmentationMetric, type SegmentationSample } from "../../vision/metrics/segmentation.js";
import type { TaskName } from "../../vision/tasks/index.js";
import { argmax, clampUnitTensor } from "./tensors.js";

/** The metrics of a task: per sample as plain data for records.jsonl, over all samples as named numbers. */
export interface Measure {
  /** Metric that stands for the rest in tables: its name, whether more is better, and its value for a perfect prediction. */
  readonly headline: { readonly name: string; readonly better: "higher" | "lower"; readonly perfect: number };
  /** @param prediction one sample's canonical prediction, without a batch axis. @param target one sample's. */
  readonly sample: (prediction: Tensor, target: Tensor, valid: Tensor | undefined) => SampleScores;
  readonly summarize: (samples: readonly SampleScores[]) => Readonly<Record<string, number>>;
}

/** What one sample contributes; `value` is its headline number. */
export interface SampleScores {
  readonly value: number | null;
  readonly detail: unknown;
}

export function measureFor(task: TaskName, options: { readonly classes: number; readonly ignore: readonly number[] }): Measure {
  switch (task) {
    case "classification":
      return {
        headline: { name: "top-1", better: "higher", perfect: 1 },
        sample: (z, y) => {
          const detail = new ClassificationMetric().update(z.data as Float32Array, y.data[0] as bigint);
          return { value: detail.rank < 1 ? 1 : 0, detail };
        },
        summarize: (samples) => {
          const metric = collect(new ClassificationMetric(), samples as Scores<ClassificationSample>);
          const { top1, top5 } = metric.result();
          return { "top-1": top1, "top-5": top5 };
        },
      };
    case "segmentation": {
      const fresh = () => new SegmentationMetric(options.classes, { ignore: options.ignore });
      return {
        headline: { name: "mIoU", better: "higher", perfect: 1 },
        sample: (z, y, valid) => {
          const detail = fresh().update(argmax(z), y.data as BigInt64Array, valid?.data as Float32Array | undefined);
          return { value: finite(detail.mIoU), detail: { confusion: detail.confusion, pixels: detail.pixels } };
        },
        summarize: (samples) => {
          const metric = collect(fresh(), samples as Scores<SegmentationSample>);
          const { mIoU, mAcc, aAcc, classes } = metric.result();
          return { mIoU, mAcc, aAcc, ...Object.fromEntries(classes.map(({ iou }, k) => [`IoU class ${k}`, iou])) };
        },
      };
    }
    case "flow":
      return {
        headline: { name: "EPE", better: "lower", perfect: 0 },
        sample: (p, y, valid) => {
          const detail = new FlowMetric().update(
            p.data as Float32Array,
            y.data as Float32Array,
            valid?.data as Float32Array | undefined,
          );
          return { value: finite(detail.endPointError), detail };
        },
        summarize: (samples) => {
          const { perPixel } = collect(new FlowMetric(), samples as Scores<FlowSample>).result();
          return {
            EPE: perPixel.endPointError,
            "1 px": perPixel.above1,
            "3 px": perPixel.above3,
            "5 px": perPixel.above5,
            "Fl-all (KITTI, and)": perPixel.flAll,
            "f1-all (published, or)": perPixel.flAllEither,
          };
        },
      };
    case "disparity":
      return {
        headline: { name: "EPE", better: "lower", perfect: 0 },
        sample: (p, y, valid) => {
          const detail = new DisparityMetric().update(
            p.data as Float32Array,
            y.data as Float32Array,
            valid?.data as Float32Array | undefined,
          );
          return { value: finite(detail.endPointError), detail };
        },
        summarize: (samples) => {
          const { perPixel } = collect(new DisparityMetric(), samples as Scores<DisparitySample>).result();
          return { EPE: perPixel.endPointError, D1: perPixel.d1, "bad-1": perPixel.bad1, "bad-3": perPixel.bad3 };
        },
      };
    case "restoration":
      return {
        headline: { name: "PSNR", better: "higher", perfect: Number.POSITIVE_INFINITY },
        sample: (p, y) => {
          const [restored, sharp] = [clampUnitTensor(p), y as Tensor<"float32">];
          const rgb = new RestorationMetric().update(restored, sharp);
          const luma = new RestorationMetric({ channels: "luma" }).update(restored, sharp);
          return { value: finite(rgb.psnr), detail: { rgb, luma } };
        },
        summarize: (samples) => {
          const details = samples.map((s) => s.detail as { rgb: RestorationSample; luma: RestorationSample });
          const [rgb, luma] = [new RestorationMetric(), new RestorationMetric({ channels: "luma" })];
          for (const d of details) {
            rgb.add(d.rgb);
            luma.add(d.luma);
          }
          return { PSNR: rgb.result().psnr, SSIM: rgb.result().ssim, "PSNR Y": luma.result().psnr, "SSIM Y": luma.result().ssim };
        },
      };
  }
}

type Scores<D> = readonly { readonly detail: D }[];

function collect<D, M extends { add(sample: D): void }>(metric: M, samples: Scores<D>): M {
  for (const { detail } of samples) metric.add(detail);
  return metric;
}

/** JSON has no infinity or NaN. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

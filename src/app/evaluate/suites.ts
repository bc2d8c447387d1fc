import { commonCorruptions } from "../../vision/corruptions/catalogue.js";
import type { Suite } from "./suite.js";

const common = { kinds: [...commonCorruptions], severities: [3] };

/** Settings of the dense benchmarks: 20 steps of 0.01 in l_inf at 8/255. */
const dense = { norm: "l_inf", epsilon: "8/255", "step-size": 0.01, steps: 20 };

/** The suites that come with the program, by their names. */
export const suites: Readonly<Record<string, Suite>> = Object.fromEntries(
  [
    {
      name: "classification-v1",
      source:
        "radii of RobustBench for ImageNet (Croce et al. 2021): 4/255 in l_inf; ImageNet-C's corruptions (Hendrycks & Dietterich 2019)",
      for: { kind: "classes", extent: "image" },
      attacks: [
        { attack: "fgsm", epsilon: "4/255" },
        { attack: "pgd", epsilon: "4/255", "step-size": "1/255", steps: 20 },
        { attack: "ensemble", epsilon: "4/255", steps: 100 },
        { attack: "square", epsilon: "4/255", queries: 1000 },
      ],
      corruptions: common,
    },
    {
      name: "dense-v1",
      source: "SemSegBench (Agnihotri et al. 2025): PGD, SegPGD, CosPGD, 20 steps of 0.01 at 8/255; ImageNet-C's corruptions",
      for: { kind: "classes", extent: "pixels" },
      attacks: [
        { attack: "pgd", ...dense },
        { attack: "segpgd", ...dense },
        { attack: "cospgd", ...dense },
      ],
      corruptions: common,
    },
    {
      name: "flow-v1",
      source:
        "FlowBench and DispBench (Agnihotri et al. 2025): FGSM, BIM, PGD, CosPGD, 20 steps of 0.01 at 8/255; ImageNet-C's corruptions",
      for: { kind: "values" },
      attacks: [
        { attack: "fgsm", epsilon: "8/255" },
        { attack: "bim", ...dense },
        { attack: "pgd", ...dense },
        { attack: "cospgd", ...dense },
      ],
      corruptions: common,
    },
    {
      name: "restoration-v1",
      source:
        "Agnihotri et al. 2023, the vulnerability of restoration networks: PGD and CosPGD, 5, 10 and 20 steps of 0.01 at 8/255",
      for: { kind: "picture" },
      attacks: (["pgd", "cospgd"] as const).flatMap((attack) => [5, 10, 20].map((steps) => ({ attack, ...dense, steps }))),
    },
  ].map((suite) => [suite.name, suite as Suite]),
);

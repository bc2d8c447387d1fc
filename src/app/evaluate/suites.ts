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
        "a quick look: the radius of RobustBench for ImageNet (Croce et al. 2021), 4/255 in l_inf; steps and queries are this program's choice; ImageNet-C's corruptions (Hendrycks & Dietterich 2019) at severity 3 of 5",
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
      name: "robustbench-cifar-v1",
      source:
        "RobustBench's leaderboards of CIFAR-10 and, in l_inf, CIFAR-100 (Croce et al. 2021): AutoAttack standard, 8/255 in l_inf and 0.5 in l_2; theirs are of the first 10,000 test images",
      for: { kind: "classes", extent: "image" },
      attacks: [
        { attack: "autoattack", norm: "l_inf", epsilon: "8/255" },
        { attack: "autoattack", norm: "l_2", epsilon: 0.5 },
      ],
    },
    {
      name: "robustbench-imagenet-v1",
      source:
        "RobustBench's leaderboards of ImageNet (Croce et al. 2021): AutoAttack standard, 4/255 in l_inf; ImageNet-C (Hendrycks & Dietterich 2019), all 15 kinds and 5 severities; theirs are of 5,000 validation images",
      for: { kind: "classes", extent: "image" },
      attacks: [{ attack: "autoattack", norm: "l_inf", epsilon: "4/255" }],
      corruptions: { ...common, severities: [1, 2, 3, 4, 5] },
    },
    {
      name: "dense-v1",
      source:
        "SemSegBench (Agnihotri et al. 2025), its attacks in l_inf: PGD, SegPGD, CosPGD, 20 steps of 0.01 at 8/255; ImageNet-C's corruptions at severity 3 of 5",
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
        "FlowBench and DispBench (Agnihotri et al. 2025), the attacks that both have but Auto-PGD: FGSM, BIM, PGD, CosPGD, 20 steps of 0.01 at 8/255, on both frames; ImageNet-C's corruptions at severity 3 of 5, on both frames",
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
      name: "detection-v1",
      source:
        "DetecBench (Agnihotri et al. 2025): FGSM, BIM, PGD on the training loss, 20 steps of 2.55/255 at 8/255; ImageNet-C's corruptions at severity 3 of 5",
      for: { kind: "boxes" },
      attacks: [
        { attack: "fgsm", epsilon: "8/255" },
        { attack: "bim", ...dense },
        { attack: "pgd", ...dense },
      ],
      corruptions: common,
    },
    {
      name: "restoration-v1",
      source:
        "Agnihotri et al. 2023 (On the unreasonable vulnerability of transformers for image restoration): PGD and CosPGD, 5, 10 and 20 steps of 0.01 at 8/255",
      for: { kind: "picture" },
      attacks: (["pgd", "cospgd"] as const).flatMap((attack) => [5, 10, 20].map((steps) => ({ attack, ...dense, steps }))),
    },
  ].map((suite) => [suite.name, suite as Suite]),
);

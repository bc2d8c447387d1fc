import type { AttackPlan } from "../plan.js";
import { type Check, gained, notApplicable, percent } from "./check.js";
import type { Trial } from "./evidence.js";

// Signs of masked gradients (Athalye et al. 2018, section 3.1; Carlini et al. 2019): a search that follows real gradients beats chance, and
// goes further where it may go further.

/** Near enough to a target that nothing is left to gain. */
const arrived = (goal: "untargeted" | "targeted", clean: number, loss: number): boolean =>
  goal === "targeted" && loss <= 0.05 * clean;

export function beatsNoise({ goal, attack }: AttackPlan, trials: readonly Trial[]): Check {
  const name = "Beats random noise";
  if (attack.name === "noise") return notApplicable(name, "The attack is random noise itself.");
  if (trials.length === 0) return notApplicable(name, "No sample finished.");
  const furthest = (t: Trial) => Math.max(...[t.noise.uniform, t.noise.sign].map((loss) => gained(goal.kind, t.clean, loss)));
  const won = trials.filter((t) => gained(goal.kind, t.clean, t.attack) > furthest(t)).length / trials.length;
  const mean = (pick: (t: Trial) => number) => trials.reduce((s, t) => s + pick(t), 0) / trials.length;
  const numbers = {
    samples: trials.length,
    trials: trials[0]!.noise.trials,
    share: won,
    "gain of the attack": mean((t) => gained(goal.kind, t.clean, t.attack)),
    "gain of the best noise": mean(furthest),
  };
  const against = `the best of ${2 * trials[0]!.noise.trials} random points of the same ball (uniform and sign noise)`;
  return won === 1
    ? { name, verdict: "passed", sentence: `On ${trials.length} samples the attack goes further than ${against}.`, numbers }
    : {
        name,
        verdict: "failed",
        sentence: `On ${percent(1 - won)} of ${trials.length} samples ${against} goes as far as the attack: its gradients lead nowhere, and robustness claimed from it means nothing.`,
        numbers,
      };
}

export function hugeBall({ goal, attack }: AttackPlan, trials: readonly Trial[], epsilon: number): Check {
  const name = "A huge radius goes further";
  if (attack.name === "noise") return notApplicable(name, "Random noise does not search.");
  if (trials.length === 0) return notApplicable(name, "No sample finished.");
  if (attack.epsilon >= epsilon) return notApplicable(name, "The radius of the run is huge itself.");
  const ratios = trials.map((t) => gained(goal.kind, t.clean, t.huge) / Math.max(gained(goal.kind, t.clean, t.attack), 1e-12));
  const further = trials.filter((t, i) => ratios[i]! >= 1.1 || arrived(goal.kind, t.clean, t.huge)).length / trials.length;
  const noFurther = trials.filter((t) => gained(goal.kind, t.attack, t.huge) < 0 && !arrived(goal.kind, t.clean, t.huge)).length;
  const numbers = { samples: trials.length, radius: epsilon, share: further, "smallest ratio of gains": Math.min(...ratios) };
  const ball = `radius ${epsilon.toPrecision(3)} (${attack.norm})`;
  if (further === 1)
    return {
      name,
      verdict: "passed",
      sentence: `With ${ball} the same attack goes clearly further on all ${trials.length} samples.`,
      numbers,
    };
  return {
    name,
    verdict: noFurther > 0 ? "failed" : "warning",
    sentence: `With ${ball} the same attack does not go clearly further on ${percent(1 - further)} of ${trials.length} samples. Where nearly every image is allowed, every model must break: gradients may be masked, or the loss saturates.`,
    numbers,
  };
}

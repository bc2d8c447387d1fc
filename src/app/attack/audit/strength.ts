import type { AttackPlan } from "../plan.js";
import { type Check, gained, notApplicable, percent } from "./check.js";
import type { Trial } from "./evidence.js";
import { goesFurther, ratioOfGains } from "./huge-radius.js";

// Signs of masked gradients (Athalye et al. 2018, section 3.1; Carlini et al. 2019): a search that follows real gradients beats chance, and
// goes further where it may go further.

export function beatsNoise(plan: AttackPlan, trials: readonly Trial[]): Check {
  const { goal } = plan;
  const name = "Beats random noise";
  if (plan.attack.definition.follows === "nothing")
    return notApplicable(name, `${plan.attack.definition.title} is no search, which noise could beat.`);
  if (plan.attack.definition.fit && plan.attack.budget.epsilon === undefined)
    return notApplicable(
      name,
      `A ${plan.attack.definition.fit.what} lies in no ball of noise; one that has learned nothing (--steps 0) is what it must beat.`,
    );
  if (plan.attack.definition.seeks === "smallest perturbation" || plan.attack.budget.epsilon === undefined)
    return notApplicable(name, "The attack looks for the smallest perturbation that is enough, not for the furthest in a ball.");
  if (trials.length === 0) return notApplicable(name, "No sample finished.");
  const furthest = (t: Trial) => Math.max(...[t.noise.uniform, t.noise.sign].map((loss) => gained(goal.kind, t.clean, loss)));
  // An attack that stops when it has won does not go further for the sake of a loss.
  const settled = (t: Trial) => plan.attack.definition.until === "won" && t.won === true;
  const won = trials.filter((t) => settled(t) || gained(goal.kind, t.clean, t.attack) > furthest(t)).length / trials.length;
  const mean = (pick: (t: Trial) => number) => trials.reduce((s, t) => s + pick(t), 0) / trials.length;
  const numbers = {
    samples: trials.length,
    trials: trials[0]!.noise.trials,
    share: won,
    "gain of the attack": mean((t) => gained(goal.kind, t.clean, t.attack)),
    "gain of the best noise": mean(furthest),
  };
  const against = `the best of ${2 * trials[0]!.noise.trials} random points of the same ball (uniform and sign noise)`;
  if (plan.attack.definition.fit) {
    const [own, best] = [numbers["gain of the attack"], numbers["gain of the best noise"]];
    const { what } = plan.attack.definition.fit;
    return own > best
      ? {
          name,
          verdict: "passed",
          sentence: `On ${trials.length} samples the ${what} goes further than ${against}, on average.`,
          numbers,
        }
      : {
          name,
          verdict: "failed",
          sentence: `On ${trials.length} samples ${against} goes as far as the ${what}, on average: it has learned nothing that holds for other images. Learn from more samples (--fit-on, --limit) or for longer (--steps, --batch).`,
          numbers,
        };
  }
  return won === 1
    ? { name, verdict: "passed", sentence: `On ${trials.length} samples the attack goes further than ${against}.`, numbers }
    : {
        name,
        verdict: "failed",
        sentence: `On ${percent(1 - won)} of ${trials.length} samples ${against} goes as far as the attack: its ${plan.attack.definition.follows === "gradients" ? "gradients lead" : "search leads"} nowhere, and robustness claimed from it means nothing.`,
        numbers,
      };
}

export function hugeBall(plan: AttackPlan, trials: readonly Trial[], epsilon: number): Check {
  const { attack, threat } = plan;
  const name = "A huge radius goes further";
  const searched = trials.flatMap(({ clean, attack: adversarial, huge }) =>
    huge ? [{ run: { clean, adversarial }, huge }] : [],
  );
  if (attack.definition.follows === "nothing") return notApplicable(name, `${attack.definition.title} does not search.`);
  if (trials.length === 0) return notApplicable(name, "No sample finished.");
  if (searched.length === 0) return notApplicable(name, `${attack.definition.title} steps along no gradient in a ball.`);
  if ((attack.budget.epsilon ?? 0) >= epsilon) return notApplicable(name, "The radius of the run is huge itself.");
  const ratios = searched.map(({ run, huge }) => ratioOfGains(plan, run, huge));
  const further = searched.filter(({ run, huge }) => goesFurther(plan, run, huge)).length / searched.length;
  const less = searched.some(({ run, huge }, i) => ratios[i]! < 1 && !goesFurther(plan, run, huge));
  const steps = Math.max(...searched.map(({ huge }) => huge.steps));
  const numbers = {
    samples: searched.length,
    radius: epsilon,
    "steps, at most": steps,
    share: further,
    "smallest ratio of gains": Math.min(...ratios),
  };
  const ball = `radius ${epsilon.toPrecision(3)} (${attack.budget.norm}) and at most ${steps} steps`;
  if (further === 1)
    return {
      name,
      verdict: "passed",
      sentence: `With ${ball} the same attack goes clearly further on all ${searched.length} samples, or leaves nothing to gain.`,
      numbers,
    };
  const found = `With ${ball} the same attack does not go clearly further on ${percent(1 - further)} of ${searched.length} samples.`;
  if (threat.region !== undefined)
    return {
      name,
      verdict: "warning",
      sentence: `${found} Only a region may change here, so the model need not break, and this check cannot tell whether gradients are masked.`,
      numbers,
    };
  return {
    name,
    verdict: less ? "failed" : "warning",
    sentence: `${found} Where nearly every image is allowed, every model must break: gradients may be masked, or the loss saturates.`,
    numbers,
  };
}

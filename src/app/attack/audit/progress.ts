import type { AttackPlan } from "../plan.js";
import type { AttackRecord } from "../run-attack.js";
import { type Check, gained, meanOf, notApplicable, percent, settled } from "./check.js";
import { remedies } from "./remedies.js";

// What the loss did from step to step. All from the records.

/** The attack's own loss moved the right way. */
export function lossMoves(plan: AttackPlan, records: readonly AttackRecord[]): Check {
  const { goal } = plan;
  const name = "Loss moves with the steps";
  const done = records.filter((r) => r.loss);
  const losses = done.map((r) => r.loss!);
  if (losses.length === 0) return notApplicable(name, "No sample finished.");
  if (plan.attack.definition.seeks === "smallest perturbation") return everyImageBreaks(plan, records);
  if (plan.attack.budget.epsilon === 0) return notApplicable(name, "Nothing may change.");
  const left = done.filter((r) => !settled(plan, r));
  if (left.length === 0) return notApplicable(name, "The attack stops when it has won, and won every sample.");
  const moved = left.filter(({ loss }) => gained(goal.kind, loss!.clean, loss!.adversarial) > 0).length / left.length;
  const [clean, adversarial] = [meanOf(losses.map((l) => l.clean)), meanOf(losses.map((l) => l.adversarial))];
  const way = goal.kind === "untargeted" ? "rose" : "fell";
  const numbers = { share: moved, "mean loss, clean": clean, "mean loss, adversarial": adversarial };
  const found = `The loss ${way} on ${percent(moved)} of the samples${left.length < done.length ? ` that the attack did not win (${left.length} of ${done.length})` : ""}, on average from ${clean.toPrecision(3)} to ${adversarial.toPrecision(3)}`;
  if (plan.attack.definition.fit) {
    // One for all images: it need not hit each of them.
    const verdict = gained(goal.kind, clean, adversarial) > 0 ? "passed" : "failed";
    return { name, verdict, sentence: `${found}; what was learned is one for all of them.`, numbers };
  }
  if (moved >= 0.95) return { name, verdict: "passed", sentence: `${found}.`, numbers };
  if (plan.attack.definition.follows === "nothing")
    return { name, verdict: "warning", sentence: `${found}; random noise is no search, this can be so.`, numbers };
  return {
    name,
    verdict: moved >= 0.5 ? "warning" : "failed",
    sentence: `${found}: on the others the search found nothing. ${
      plan.attack.definition.follows === "gradients"
        ? `Try ${remedies(plan, ["restarts", "stepSize", "lineSearch"], "another attack, such as pgd")}; if that changes nothing, the gradient is not to be trusted.`
        : "Let it look further, with its parameters; a search in predictions alone often finds less than a gradient does."
    }`,
    numbers,
  };
}

/** What the loss does is of no account where the border is looked for; but with nothing to keep it from, a search finds one for every image. */
function everyImageBreaks({ attack }: AttackPlan, records: readonly AttackRecord[]): Check {
  const name = "Every image breaks at some size";
  if (attack.budget.epsilon !== undefined)
    return notApplicable(name, "An epsilon says beyond which size an image counts as not broken.");
  const done = records.filter((r) => r.loss);
  const broken = done.filter((r) => r.found?.radius !== undefined).length / done.length;
  const numbers = { samples: done.length, share: broken };
  const found = `For ${percent(broken)} of ${done.length} images a perturbation was found`;
  if (broken >= 0.95) return { name, verdict: "passed", sentence: `${found}.`, numbers };
  return {
    name,
    verdict: broken >= 0.5 ? "warning" : "failed",
    sentence: `${found}. Where nearly every image is allowed, every model must break: take more --steps; if that changes nothing, the gradient is not to be trusted.`,
    numbers,
  };
}

/** Whether the step length suits the ball and the number of steps. */
export function stepSize(plan: AttackPlan, records: readonly AttackRecord[]): Check {
  const { goal, attack } = plan;
  const name = "Step size suits the budget";
  const { norm, epsilon, steps, stepSize: length } = attack.budget;
  if (steps === 0 || steps === 1 || length === undefined || epsilon === undefined)
    return notApplicable(
      name,
      attack.definition.fit
        ? `The ${attack.definition.fit.what} was learned before, on other samples.`
        : steps === 0
          ? "This attack takes no steps."
          : steps === 1
            ? "One step alone has no way to overshoot."
            : "This attack sets its step size itself.",
    );
  // An attack may leave a sample alone that is wrong already: it made no step there.
  const done = records.filter((r) => r.loss && r.loss.steps.length > 0);
  const shares = done.map(({ loss }) => {
    const path = [...loss!.steps, loss!.adversarial];
    return path.slice(1).filter((v, t) => gained(goal.kind, path[t]!, v) < 0).length / (path.length - 1);
  });
  if (shares.length === 0) return notApplicable(name, "No step was taken on any sample.");
  const backward = meanOf(shares);
  const reached = meanOf(done.map((r) => Math.max(...Object.values(r.perturbation!).map((p) => p[norm])) / epsilon));
  const numbers = { "share of steps backward": backward, "share of the radius used": reached };
  const way = length * (steps ?? 1);
  // Half the length must still reach the edge, or the advice would weaken the attack.
  if (backward > 0.35 && way / 2 >= epsilon)
    return {
      name,
      verdict: "warning",
      sentence: `${percent(backward)} of the steps went backward: the step is too long for this model. Halve --step-size, or let apgd choose it.`,
      numbers,
    };
  // Where the steps could reach the edge and did not, longer ones are no remedy.
  if (reached < 0.6 && way < epsilon)
    return {
      name,
      verdict: "warning",
      sentence: `The attack used ${percent(reached)} of the radius it was given: ${steps} steps of this length reach ${percent(way / epsilon)} of it. Take at least ${Math.ceil(epsilon / length)} --steps, or longer ones with --step-size.`,
      numbers,
    };
  return {
    name,
    verdict: "passed",
    sentence: `${percent(backward)} of the steps went backward, and ${percent(reached)} of the radius was used.`,
    numbers,
  };
}

/** Whether more steps would have gone further. */
export function enoughSteps(plan: AttackPlan, records: readonly AttackRecord[]): Check {
  const name = "Enough steps";
  const { goal } = plan;
  const losses = records.flatMap((r) => r.loss ?? []);
  const steps = Math.max(0, ...losses.map((l) => l.steps.length));
  if (plan.attack.definition.seeks === "smallest perturbation")
    return notApplicable(name, "The search goes to and fro over the border; its loss does not settle.");
  if (steps < 5) return notApplicable(name, `With ${steps} step${steps === 1 ? "" : "s"} no trend can be seen.`);
  const fifth = Math.max(1, Math.round(steps / 5));
  const whole = meanOf(losses.map((l) => gained(goal.kind, l.clean, l.adversarial)));
  // Means over a fifth of the path: single steps go up and down. What ended before, because it had won, brought nothing late.
  const late = meanOf(
    losses.map((l) => {
      if (l.steps.length < steps) return 0;
      const path = [...l.steps, l.adversarial];
      return gained(goal.kind, meanOf(path.slice(-2 * fifth, -fifth)), meanOf(path.slice(-fifth)));
    }),
  );
  if (losses.length === 0 || !(whole > 0)) return notApplicable(name, "The attack gained nothing.");
  const share = late / whole;
  const numbers = { "share of the gain made in the last fifth": share };
  return share > 0.1
    ? {
        name,
        verdict: "warning",
        sentence: `The last fifth of the steps still brought ${percent(share)} of the whole effect: with ${remedies(plan, ["steps", "queries"], "a longer search")} the model would look weaker than it does here.`,
        numbers,
      }
    : {
        name,
        verdict: "passed",
        sentence: `The last fifth of the steps brought ${percent(Math.max(0, share))} of the whole effect: the search has settled.`,
        numbers,
      };
}

import { expect, it } from "vitest";
import { addAttackFlags } from "./attack-flags.js";
import { attackCommand } from "./commands/attack.js";
import { doctorCommand } from "./commands/doctor.js";
import { flagMeant } from "./unknown-flag.js";

it("names the flag that was meant by what other libraries call it, by a word of it, and by its letters", async () => {
  const command = attackCommand();
  await addAttackFlags(command, []);
  const flags = command.options.flatMap(({ long }) => long ?? []);
  const meant = {
    "--eps": "--epsilon",
    "--epsilons": "--epsilon",
    "--epsilion": "--epsilon",
    "--alpha": "--step-size",
    "--lr": "--step-size",
    "--eps-step": "--step-size",
    "--step_size": "--step-size",
    "--stepSize": "--step-size",
    "--stepsize": "--step-size",
    "--step-sizes": "--step-size",
    "--iters": "--steps",
    "--n-steps": "--steps",
    "--num_steps": "--steps",
    "--nb-iter": "--steps",
    "--step": "--steps",
    "--n_restarts": "--restarts",
    "--restart": "--restarts",
    "--random_init": "--random-start",
    "--norms": "--norm",
    "--batch-size": "--batch",
    "--device": "--provider",
    "--gpu": "--provider",
    "--output": "--out",
    "--out-dir": "--out",
    "--dataset": "--data",
    "--limits": "--limit",
    "--mask": "--region",
    "--targeted": "--target",
    "--fail_under": "--fail-under",
    "-eps": "--epsilon",
  };
  for (const [typed, flag] of Object.entries(meant)) expect([typed, flagMeant(typed, flags)]).toEqual([typed, flag]);
  for (const typed of ["--quartz", "--workers", "--x"]) expect([typed, flagMeant(typed, flags)]).toEqual([typed, undefined]);
});

it("shows the parameters of one attack alone where help is asked for it", async () => {
  const helpOf = async (...args: string[]) => {
    const command = attackCommand();
    await addAttackFlags(command, [...args, "--help"]);
    return command.helpInformation();
  };
  const own = await helpOf("--attack", "fgsm");
  expect(own).toContain("Parameters of fgsm:");
  expect(own).toMatch(/--epsilon <radius> .*\n[^[]*\(default: 8\/255\)\n/);
  expect(own).not.toMatch(/--queries|--steps/);
  expect(await helpOf("--attack", "pgd,square")).toMatch(/--queries/);
  expect(await helpOf()).toMatch(/--queries[\s\S]*--sigma/);
});

it("never names a flag that the command has not", () => {
  const flags = doctorCommand().options.flatMap(({ long }) => long ?? []);
  expect(flagMeant("--eps", flags)).toBeUndefined();
  expect(flagMeant("--device", flags)).toBe("--provider");
});

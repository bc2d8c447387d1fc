import type { LayerProfile } from "../../methods/criticality/profile.js";

const width = 32;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of 32 characters for a number in [0, 1], to an eighth of a character. */
export function bar(value: number): string {
  const steps = Math.round(Math.min(1, Math.max(0, value)) * width * 8);
  const full = "█".repeat(Math.floor(steps / 8)) + eighths[steps % 8]!;
  return full.padEnd(width, "·");
}

/** `layer1.0.conv1  ████████····  56.7 % ± 3.1 %` */
export function barLine(
  name: string,
  pad: number,
  { criticality, deviation, trials }: Pick<LayerProfile, "criticality" | "deviation" | "trials">,
): string {
  const spread = trials.length > 1 ? ` ± ${(100 * deviation).toFixed(1)} %` : "";
  return `${name.padEnd(pad)}  ${bar(criticality)} ${(100 * criticality).toFixed(1).padStart(6)} %${spread}`;
}

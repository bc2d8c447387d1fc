import type { LayerProfile } from "../../methods/criticality/profile.js";

const widest = 32;
const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of so many characters for a number in [0, 1], to an eighth of a character. */
export function bar(value: number, width = widest): string {
  const steps = Math.round(Math.min(1, Math.max(0, value)) * width * 8);
  const full = "█".repeat(Math.floor(steps / 8)) + eighths[steps % 8]!;
  return full.padEnd(width, "·");
}

/** Columns of everything in a line but name and bar: ` 100.0 % ± 45.3 %  1234/1234`. */
const numbers = 32;

/**
 * `layer1.0.conv1  ████████····  56.7 % ± 3.1 %`
 *
 * @param pad columns for the name.
 * @param columns of the terminal; the bar and then the beginning of the name give way, since a line that wraps cannot be drawn over.
 */
export function barLine(
  name: string,
  pad: number,
  { criticality, deviation, trials }: Pick<LayerProfile, "criticality" | "deviation" | "trials">,
  columns = Number.POSITIVE_INFINITY,
): string {
  const width = Math.max(8, Math.min(widest, columns - numbers - pad));
  const room = Math.max(8, Math.min(pad, columns - numbers - width));
  const shown = name.length > room && Number.isFinite(columns) ? `…${name.slice(1 - room)}` : name;
  const spread = trials.length > 1 ? ` ± ${(100 * deviation).toFixed(1)} %` : "";
  return `${shown.padEnd(room)}  ${bar(criticality, width)} ${(100 * criticality).toFixed(1).padStart(6)} %${spread}`;
}

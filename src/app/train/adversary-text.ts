import type { AdversaryConfig } from "./config.js";

/** "50 % of each batch was attacked by pgd (norm l_inf, epsilon 0.0314, steps 3, ...)" */
export function adversaryText({ attack, share, trades, ...parameters }: AdversaryConfig): string {
  const words = Object.entries(parameters).map(
    ([name, value]) => `${name} ${typeof value === "number" ? Number(value.toPrecision(3)) : value}`,
  );
  if (trades) return `TRADES with beta ${trades.beta}, against ${attack} (${words.join(", ")})`;
  return `${share * 100} % of each batch was attacked by ${attack} (${words.join(", ")})`;
}

/** What one question about a run came to. */
export type Verdict = "passed" | "warning" | "failed" | "not applicable";

export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found and what follows from it, for a reader who did not set up the run. */
  readonly sentence: string;
  readonly numbers: Readonly<Record<string, number | string | null>>;
}

export const notApplicable = (name: string, sentence: string): Check => ({
  name,
  verdict: "not applicable",
  sentence,
  numbers: {},
});

/** 0.8725 -> "87 %"; keeps one decimal below 10 %. */
export const percent = (share: number): string => `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** How much an attack achieved: the loss gained when driving away, lost when driving towards a target. */
export const gained = (goal: "untargeted" | "targeted", from: number, to: number): number =>
  goal === "untargeted" ? to - from : from - to;

export const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

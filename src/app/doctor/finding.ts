/** One thing that the doctor looked at. */
export interface Finding {
  readonly subject: string;
  /** "unsure": cannot be told from this data; the sentence says what was seen. */
  readonly verdict: "good" | "wrong" | "unsure";
  readonly sentence: string;
  /** Flags that would put it right, where it is wrong. */
  readonly flags?: readonly string[];
}

export const good = (subject: string, sentence: string): Finding => ({ subject, verdict: "good", sentence });
export const unsure = (subject: string, sentence: string): Finding => ({ subject, verdict: "unsure", sentence });
export const wrong = (subject: string, sentence: string, ...flags: readonly string[]): Finding => ({
  subject,
  verdict: "wrong",
  sentence,
  ...(flags.length > 0 && { flags }),
});

/** 12.3 % */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Every attack by the name that the command line knows. The names alone, so that help is shown without loading what they stand for. */
export const attackNames = [
  "fgsm",
  "bim",
  "pgd",
  "mi-fgsm",
  "segpgd",
  "cospgd",
  "apgd",
  "apgd-cospgd",
  "apgd-released",
  "noise",
] as const;

export type AttackName = (typeof attackNames)[number];

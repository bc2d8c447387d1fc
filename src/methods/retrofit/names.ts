/** The choices by name alone, for help texts, which load nothing of what the choices do. */
export const downChoiceNames = ["flc", "asap"] as const;
export const upChoiceNames = [
  "lctc-7",
  "lctc-7+3",
  "lctc-9",
  "lctc-9+3",
  "lctc-11",
  "lctc-11+3",
  "lctc-15",
  "lctc-15+3",
  "lctc-31",
  "lctc-31+3",
] as const;

export type DownChoiceName = (typeof downChoiceNames)[number];
export type UpChoiceName = (typeof upChoiceNames)[number];

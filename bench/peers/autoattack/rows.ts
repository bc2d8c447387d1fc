import config from "./config.json" with { type: "json" };

/** A line of config.json: AutoAttack where it names no attack. */
export interface Row {
  readonly attack?: string;
  readonly network: string;
  readonly norm?: string;
  readonly basis?: string;
  readonly epsilon?: number;
  readonly images: number;
  readonly queries?: number;
}

export const rows: readonly Row[] = [...config.rows, ...config.equalStarts, ...config.blackBox];

export const nameOf = ({ attack = "autoattack", network, norm, basis }: Row): string => `${attack} ${network} ${norm ?? basis}`;

/** The digits are attacked so many at a time, each part with a file of its own: an interrupted run goes on where it was. */
export const partsOf = ({ images }: Row): readonly number[] => Array.from({ length: images / config.part }, (_, k) => k);

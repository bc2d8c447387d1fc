import type { Attack } from "../attack.js";
import { apgd } from "./apgd.js";
import { apgdCospgd } from "./apgd-cospgd.js";
import { apgdReleased } from "./apgd-released.js";
import { bim } from "./bim.js";
import { cospgd } from "./cospgd.js";
import { fgsm } from "./fgsm.js";
import { miFgsm } from "./mi-fgsm.js";
import type { AttackName } from "./names.js";
import { noise } from "./noise.js";
import type { AttackOptions } from "./options.js";
import { pgd } from "./pgd.js";
import { segpgd } from "./segpgd.js";

export type { AttackName } from "./names.js";
export type { AttackOptions } from "./options.js";
export { apgd, apgdCospgd, apgdReleased, bim, cospgd, fgsm, miFgsm, noise, pgd, segpgd };

/** Every attack by its name. */
export const attacks = {
  fgsm,
  bim,
  pgd,
  "mi-fgsm": miFgsm,
  segpgd,
  cospgd,
  apgd,
  "apgd-cospgd": apgdCospgd,
  "apgd-released": apgdReleased,
  noise,
} as const satisfies Readonly<Record<AttackName, (options: AttackOptions) => Attack>>;

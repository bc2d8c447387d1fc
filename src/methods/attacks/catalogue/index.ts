import type { AttackDefinition } from "../definition.js";
import { apgd } from "./apgd.js";
import { apgdCospgd } from "./apgd-cospgd.js";
import { apgdReleased } from "./apgd-released.js";
import { apgdSegpgd } from "./apgd-segpgd.js";
import { apgdT } from "./apgd-t.js";
import { autoattack } from "./autoattack.js";
import { bim } from "./bim.js";
import { cospgd } from "./cospgd.js";
import { cw } from "./cw.js";
import { ddn } from "./ddn.js";
import { deepfool } from "./deepfool.js";
import { diFgsm } from "./di-fgsm.js";
import { ensemble } from "./ensemble.js";
import { fab } from "./fab.js";
import { fabT } from "./fab-t.js";
import { fgsm } from "./fgsm.js";
import { fmn } from "./fmn.js";
import { miFgsm } from "./mi-fgsm.js";
import { nes } from "./nes.js";
import { niFgsm } from "./ni-fgsm.js";
import { noAttack } from "./no-attack.js";
import { noise } from "./noise.js";
import { patch } from "./patch.js";
import { pcfa } from "./pcfa.js";
import { pgd } from "./pgd.js";
import { sea } from "./sea.js";
import { segpgd } from "./segpgd.js";
import { siNiFgsm } from "./si-ni-fgsm.js";
import { simba } from "./simba.js";
import { square } from "./square.js";
import { tiFgsm } from "./ti-fgsm.js";
import { universal } from "./universal.js";
import { vmiFgsm } from "./vmi-fgsm.js";
import { vniFgsm } from "./vni-fgsm.js";

export {
  apgd,
  apgdCospgd,
  apgdReleased,
  apgdSegpgd,
  apgdT,
  autoattack,
  bim,
  cospgd,
  cw,
  ddn,
  deepfool,
  diFgsm,
  ensemble,
  fab,
  fabT,
  fgsm,
  fmn,
  miFgsm,
  nes,
  niFgsm,
  noAttack,
  noise,
  patch,
  pcfa,
  pgd,
  sea,
  segpgd,
  simba,
  siNiFgsm,
  square,
  tiFgsm,
  universal,
  vmiFgsm,
  vniFgsm,
};

/** Every attack of the library by its name. */
export const attacks = {
  fgsm,
  bim,
  pgd,
  "mi-fgsm": miFgsm,
  "di-fgsm": diFgsm,
  "ti-fgsm": tiFgsm,
  "ni-fgsm": niFgsm,
  "si-ni-fgsm": siNiFgsm,
  "vmi-fgsm": vmiFgsm,
  "vni-fgsm": vniFgsm,
  segpgd,
  cospgd,
  apgd,
  "apgd-cospgd": apgdCospgd,
  "apgd-released": apgdReleased,
  "apgd-segpgd": apgdSegpgd,
  deepfool,
  ddn,
  cw,
  fab,
  "fab-t": fabT,
  fmn,
  ensemble,
  sea,
  "apgd-t": apgdT,
  autoattack,
  square,
  simba,
  nes,
  universal,
  patch,
  pcfa,
  noise,
  "no-attack": noAttack,
} as const satisfies Readonly<Record<string, AttackDefinition>>;

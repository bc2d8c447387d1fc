import type { BoxForm } from "../../spec/model-spec.js";

export type BoxUnit = "pixels" | "shares";

/** What the four numbers of a box are, of which form: its corners or its center and sides, in pixels or in shares of the picture's sides. */
export const boxMeanings: Readonly<
  Record<BoxForm, { readonly numbers: "corners" | "center and sides"; readonly unit: BoxUnit }>
> = {
  xyxy: { numbers: "corners", unit: "pixels" },
  "xyxy-normalized": { numbers: "corners", unit: "shares" },
  cxcywh: { numbers: "center and sides", unit: "pixels" },
  "cxcywh-normalized": { numbers: "center and sides", unit: "shares" },
};

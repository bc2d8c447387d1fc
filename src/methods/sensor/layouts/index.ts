import { SensorError } from "../error.js";
import { compose } from "./compose.js";
import { curvilinear } from "./curvilinear.js";
import { elliptic } from "./elliptic.js";
import type { Layout } from "./layout.js";
import type { LayoutName } from "./names.js";
import { rectangular } from "./rectangular.js";
import { uniform } from "./uniform.js";

/** The layouts by name. */
export const layouts: Readonly<Record<LayoutName, Layout>> = { uniform, rectangular, curvilinear, elliptic };

export type { LayoutName } from "./names.js";

/** A layout by name, several that follow one another, or one of your own. */
export type LayoutChoice = LayoutName | readonly LayoutName[] | Layout;

/** @throws SensorError for a name that none has, or an empty list. */
export function layoutOf(choice: LayoutChoice): Layout {
  if (typeof choice === "string") return named(choice);
  return Array.isArray(choice) ? compose(choice.map(named)) : (choice as Layout);
}

function named(name: string): Layout {
  const known: Readonly<Record<string, Layout>> = layouts;
  if (!Object.hasOwn(known, name))
    throw new SensorError(`There is no layout "${name}"; choose one of ${Object.keys(known).join(", ")}.`);
  return known[name]!;
}

import type { Value } from "../../../../engine/graph/graph.js";
import type { DescentRule } from "../ascent.js";

type State = Readonly<Record<string, readonly Value[]>>;

/** The state of a rule within another that calls it otherwise: by the inner rule's names. */
export const ownState = ({ state }: Pick<DescentRule, "state">, whole: State, outer: (name: string) => string): State =>
  Object.fromEntries(state.map(({ name }) => [name, whole[outer(name)]!]));

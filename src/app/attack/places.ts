/** From what a plan names (a model, a data set, a mask) to its path on this machine. A plan names the same things wherever its run is made. */
export type Places = (named: string) => string;

/** Everything lies where the plan says. */
export const asNamed: Places = (named) => named;

/** The last opset of a form that later ones kept. */
export const newest = Number.POSITIVE_INFINITY;

export const convolutionOperators = {};

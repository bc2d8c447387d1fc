export const normalizationOperators = {};

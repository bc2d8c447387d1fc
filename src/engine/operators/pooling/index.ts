export const poolingOperators = {};

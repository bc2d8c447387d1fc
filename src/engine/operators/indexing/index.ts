export const indexingOperators = {};

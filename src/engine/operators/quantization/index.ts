export const quantizationOperators = {};

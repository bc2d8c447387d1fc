export const resamplingOperators = {};

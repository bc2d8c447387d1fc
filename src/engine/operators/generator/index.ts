export const generatorOperators = {};

import { NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss } from "./negative-log-likelihood.js";

export const lossOperators = { NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss };

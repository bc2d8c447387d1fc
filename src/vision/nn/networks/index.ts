export { findNetwork, type NamedNetwork, type NetworkConfiguration, resampled, resamplingOf, tensorsOf } from "./find.js";
export { publishedNetworks } from "./published.js";
export { recognizeConfiguration, sameParameters } from "./recognize.js";

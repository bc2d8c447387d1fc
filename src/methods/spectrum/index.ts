/** What the spectrum of a model's maps says: aliasing where the resolution falls, patterns where it rises, fingerprints of predictions and perturbations. */
export {
  aboveNyquist,
  type Bins,
  energyIn,
  gridFrequencies,
  powerSpectrum,
  radialPower,
  ringFrequencies,
  shareOf,
} from "./power.js";
export { fingerprint, type PlaceSpectrum, placeSpectra } from "./spectrum.js";

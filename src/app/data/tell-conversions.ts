import { type Conversion, conversionText } from "../../vision/data/conversions.js";
import type { Dataset, Sample } from "../../vision/data/dataset.js";

/**
 * The data set, which tells of each kind of picture that is converted as it is read when the first of it comes: for commands that keep no record of each
 * sample.
 */
export function tellingConversions(
  dataset: Dataset,
  depth: Parameters<typeof conversionText>[1],
  tell: (sentence: string) => void,
): Dataset {
  const told = new Set<Conversion>();
  return {
    ...dataset,
    sample: async (index): Promise<Sample> => {
      const sample = await dataset.sample(index);
      const fresh = (sample.converted ?? []).filter((name) => !told.has(name));
      for (const name of fresh) {
        told.add(name);
        tell(
          `${sample.id} is a picture ${conversionText({ [name]: 1 }, depth).replace(/^1 /, "")}; others like it are treated alike`,
        );
      }
      return sample;
    },
  };
}

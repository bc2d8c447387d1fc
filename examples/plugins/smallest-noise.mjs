import { compileEvaluation, defineAttack, parameters, Random, tensor, z } from "faultline";

const { parameter, count } = parameters;

/**
 * The least noise that breaks a prediction, from predictions alone: towards each of several images of noise, bisection finds how far one must go. There is
 * no ball and no gradient. (Foolbox has it as LinearSearchBlendedUniformNoiseAttack.)
 */
export default defineAttack({
  name: "smallest-noise",
  title: "Smallest noise",
  source: "docs/adding-an-attack.md",
  summary: "the least blend with random noise that breaks a prediction, found by bisection",
  parameters: z.strictObject({
    directions: parameter(count.default(5), { description: "images of noise that are tried" }),
    halvings: parameter(count.default(10), { description: "predictions for each of them" }),
    broken: parameter(z.number().min(0).max(1).default(0), {
      description: "share of correct pixels at which a sample counts as broken",
      placeholder: "share",
    }),
  }),
  follows: "predictions",
  seeks: "smallest perturbation",
  until: "won",
  // No epsilon: sizes are measured in l_2, and the smaller the better.
  budget: () => ({ norm: "l_2" }),
  compile: async (engine, { directions, halvings, broken }, model) => {
    const evaluation = await compileEvaluation(engine, model);
    const won = ({ correct }, b) => (model.goal === "targeted" ? correct[b] >= 1 - broken : correct[b] <= broken);
    return {
      ...evaluation,
      async run(batch, { signal } = {}) {
        const samples = [...batch.samples.keys()];
        const clean = await evaluation.evaluate(batch, batch.images);
        let best = { images: batch.images, radius: samples.map((b) => (won(clean, b) ? 0 : Number.POSITIVE_INFINITY)) };
        let queries = 1;
        for (let direction = 0; direction < directions; direction++) {
          signal?.throwIfAborted();
          const noise = noiseLike(batch, direction);
          const low = samples.map(() => 0);
          const high = samples.map(() => 1);
          const reached = samples.map(() => false);
          for (let step = 0; step <= halvings; step++, queries++) {
            const shares = samples.map((b) => (step === 0 ? 1 : (low[b] + high[b]) / 2));
            const found = await evaluation.evaluate(batch, blend(batch.images, noise, shares));
            for (const b of samples) {
              if (won(found, b)) [high[b], reached[b]] = [shares[b], true];
              else low[b] = shares[b];
            }
          }
          best = nearer(best, blend(batch.images, noise, high), reached, batch.images);
        }
        const radius = Float32Array.from(best.radius, (r) => (Number.isFinite(r) ? r : Number.NaN));
        const judged = await evaluation.evaluate(batch, best.images);
        return { ...judged, images: best.images, clean, steps: [], found: { radius, queries: radius.map(() => queries) } };
      },
    };
  },
});

/** An image of noise for each sample, which depends on the seed and the sample's name alone. */
const noiseLike = ({ images, samples, seed }, direction) =>
  perImage(images, (image, role) => {
    const size = image.data.length / samples.length;
    const streams = samples.map((sample) => new Random(seed, `${sample}/${role}/${direction}`));
    return image.data.map((_, i) => streams[Math.floor(i / size)].uniform(0, 1));
  });

/** (1 - share) image + share noise, with a share for each sample. */
const blend = (images, noise, shares) =>
  perImage(images, (image, role) => {
    const size = image.data.length / shares.length;
    return image.data.map((v, i) => v + shares[Math.floor(i / size)] * (noise[role].data[i] - v));
  });

/** Sample by sample, the images that are nearer to the clean ones, of those that were reached. */
function nearer(best, found, reached, clean) {
  const radius = reached.map((done, b) => (done ? distance(found, clean, b, reached.length) : Number.POSITIVE_INFINITY));
  const chosen = radius.map((r, b) => r < best.radius[b]);
  const images = perImage(best.images, (image, role) => {
    const size = image.data.length / chosen.length;
    return image.data.map((v, i) => (chosen[Math.floor(i / size)] ? found[role].data[i] : v));
  });
  return { images, radius: radius.map((r, b) => Math.min(r, best.radius[b])) };
}

/** In l_2, over all images of a sample. */
function distance(images, clean, sample, samples) {
  let squares = 0;
  for (const [role, { data }] of Object.entries(images)) {
    const size = data.length / samples;
    for (let i = sample * size; i < (sample + 1) * size; i++) squares += (data[i] - clean[role].data[i]) ** 2;
  }
  return Math.sqrt(squares);
}

const perImage = (images, values) =>
  Object.fromEntries(Object.entries(images).map(([role, image]) => [role, tensor("float32", image.shape, values(image, role))]));

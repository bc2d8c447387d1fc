import { mul, nn, sigmoid, split, type Value } from "../src/index.js";

/** The size and shape of a network that exists; plain data. */
const small: nn.NafnetConfiguration = {
  family: "nafnet",
  imageChannels: 3,
  activation: "simple-gate",
  attention: "simplified-channel",
  width: 8,
  encoderBlocks: [1, 1],
  middleBlocks: 1,
  decoderBlocks: [1, 1],
};

/** a · σ(b) for the halves a and b of the channels, where NAFNet has a · b: a gate that cannot blow up what it lets through. */
function boundedGate(x: Value): Value {
  const half = nn.channels(x) / 2;
  const [a, b] = split(x, 1, [half, half]);
  return mul(a!, sigmoid(b!));
}

/** NAFNet with another gate: the same parameters, so that a checkpoint of NAFNet loads into it and can be trained on. */
export const boundedNafnet: nn.Network = (p, image) => nn.nafnet(p, image!, small, { gate: boundedGate });

/** NAFNet with other blocks: its own, and behind each a 5x5 depthwise convolution that sees further. */
export const widerNafnet: nn.Network = (p, image) =>
  nn.nafnet(p, image!, small, {
    block: (q, x, options) => nn.depthwiseConv2d(q.at("wider"), nn.nafBlock(q, x, options), { kernel: 5 }),
  });

/** NAFNet as it is, for comparison. */
export const plainNafnet: nn.Network = (p, image) => nn.nafnet(p, image!, small);

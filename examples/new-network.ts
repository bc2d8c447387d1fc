import { add, mul, nn, sigmoid, type Value } from "../src/index.js";

/** x + s · conv₁ₓ₁(dwconv₇ₓ₇(h) · σ(conv₁ₓ₁(h))) with h = LayerNorm(x): a large kernel that each pixel opens or closes. */
function gatedBlock(p: nn.Scope, x: Value): Value {
  const c = nn.channels(x);
  const h = nn.layerNorm2d(p.at("norm"), x);
  const gate = sigmoid(nn.conv2d(p.at("gate"), h, { out: c }));
  const wide = nn.depthwiseConv2d(p.at("wide"), h, { kernel: 7 });
  const mixed = nn.conv2d(p.at("mix"), mul(wide, gate), { out: c });
  return add(x, mul(mixed, p.parameter("scale", [1, c, 1, 1], nn.initializers.constant(0.1))));
}

/** Restores an image [N, C, H, W] by a row of such blocks. */
export const gatedNetwork =
  (width: number, depth: number): nn.Network =>
  (p, image) => {
    let x = nn.conv2d(p.at("intro"), image!, { out: width, kernel: 3 });
    for (let i = 0; i < depth; i++) x = gatedBlock(p.at("blocks", i), x);
    return add(image!, nn.conv2d(p.at("ending"), x, { out: nn.channels(image!), kernel: 3 }));
  };

import { Graph } from "../../../engine/graph/graph.js";
import { channels, conv2d } from "../layers/convolution.js";
import { asInputs, Parameters } from "../scope.js";
import { type DownsamplingName, downsamplings, type UpsamplingName, upsamplings } from "./index.js";

/** Names of one table, together where their parameters are the same at every place of every network; in the table's order. */
export type Kin<Name> = readonly (readonly Name[])[];

/** What tells choices apart in a checkpoint: their parameters at one small place, whose convolution differs by stride. */
export function downsamplingKin(): Kin<DownsamplingName> {
  return kinOf(Object.keys(downsamplings) as DownsamplingName[], (name, parameters) => {
    const { graph, scope } = parameters;
    downsamplings[name].apply({
      x: graph.input("x", "float32", [1, 8, 16, 16]),
      size: [8, 8],
      scope,
      convolve: (v, { stride, share }) => conv2d(scope.at("conv"), v, { out: 8 / share, kernel: 4 - stride, stride }),
      channels: "kept",
    });
  });
}

export function upsamplingKin(): Kin<UpsamplingName> {
  return kinOf(Object.keys(upsamplings) as UpsamplingName[], (name, parameters) => {
    const { graph, scope } = parameters;
    const x = graph.input("x", "float32", [1, 8, 16, 16]);
    upsamplings[name].apply({
      x,
      out: channels(x),
      scope,
      mix: (v, out) => conv2d(scope.at("mix"), v, { out }),
      spectral: scope.at("spectral"),
      large: scope.at("large"),
      small: scope.at("small"),
      bias: "none",
      groups: () => 1,
    });
  });
}

function kinOf<Name extends string>(names: readonly Name[], apply: (name: Name, parameters: Parameters) => void): Kin<Name> {
  const families = new Map<string, Name[]>();
  for (const name of names) {
    const parameters = new Parameters(new Graph(), asInputs);
    apply(name, parameters);
    const declared = [...parameters.declarations.values()].map(({ name: n, shape }) => `${n} ${shape.join()}`).join("; ");
    families.set(declared, [...(families.get(declared) ?? []), name]);
  }
  return [...families.values()];
}

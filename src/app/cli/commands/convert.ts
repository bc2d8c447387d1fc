import { Command } from "commander";
import { publishedNetworks } from "../../../vision/nn/networks/published.js";
import { parsePositiveInteger, parseSize } from "../model-options.js";

export interface ConvertFlags {
  readonly network?: string;
  readonly config?: string;
  readonly size?: { readonly height: number; readonly width: number };
  readonly batch: number;
  readonly localPooling?: { readonly height: number; readonly width: number };
  readonly key?: string;
  readonly stripPrefix?: string;
  readonly output: string;
}

/** `faultline convert NAFNet-GoPro-width32.pth --size 256x256 -o nafnet.onnx` */
export function convertCommand(): Command {
  return new Command("convert")
    .description(
      "Turn a PyTorch or safetensors checkpoint into an ONNX model or into the other format, by the parameters' names.",
    )
    .argument("<checkpoint>", ".pth, .pt, .ckpt or .safetensors file")
    .requiredOption("-o, --output <file>", "what to write: a model (.onnx), or the same checkpoint as .pth or .safetensors")
    .option("--size <HxW>", "image size of the model", parseSize)
    .option("--batch <n>", "images at a time", parsePositiveInteger, 1)
    .option("--network <name>", "published network (default: recognized from the parameters' names and shapes)")
    .option("--config <file.json>", "configuration of the network, for any other width and depth")
    .option(
      "--local-pooling <HxW>",
      "NAFNet and Baseline: average over windows 1.5 times this training size, as published test results do",
      parseSize,
    )
    .option("--key <name>", "top-level key of the checkpoint (default: found)")
    .option(
      "--strip-prefix <prefix>",
      'drop this from the parameters\' names (default: "module." and its like, where all have it)',
    )
    .addHelpText(
      "after",
      `
Published networks: ${Object.keys(publishedNetworks).sort().join(", ")}.

Examples:
  faultline convert NAFNet-GoPro-width32.pth --size 720x1280 --local-pooling 256x256 -o nafnet.onnx
  faultline convert runs/deblur/model.safetensors --config runs/deblur/network.json -o deblur.pth`,
    )
    .action(async (path: string, flags: ConvertFlags) => (await import("../actions/convert.js")).convert(path, flags));
}

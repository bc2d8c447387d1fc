import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Unpacks the browser that the package @sparticuz/chromium carries, and for Linux images without libnss3 the libraries it needs as well. */
async function carried(): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  // The package unpacks its libraries, and puts them on LD_LIBRARY_PATH, only where it believes to be on AWS Lambda.
  process.env.AWS_LAMBDA_JS_RUNTIME ??= "nodejs20.x";
  const { default: sparticuz } = await import("@sparticuz/chromium");
  return sparticuz.executablePath();
}

/** WebGPU on the processor: what a machine without a graphics card has. */
const webGpu = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--ignore-gpu-blocklist",
];

/**
 * Starts the first Chromium that runs: the one of CHROMIUM_PATH, the one in the package @sparticuz/chromium, Debian's.
 * Returns why none did otherwise.
 */
export async function launch(): Promise<Browser | string> {
  const reasons: string[] = [];
  const candidates = [async () => process.env.CHROMIUM_PATH, carried, async () => "/usr/bin/chromium"];
  for (const candidate of candidates) {
    try {
      const executablePath = await candidate();
      if (executablePath === undefined || !existsSync(executablePath)) continue;
      return await chromium.launch({ executablePath, args: ["--no-sandbox", ...webGpu] });
    } catch (error) {
      reasons.push((error as Error).message.split("\n", 1)[0]!);
    }
  }
  return `No Chromium starts on this machine${reasons.map((r) => `; ${r}`).join("")}.`;
}

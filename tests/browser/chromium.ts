import { existsSync } from "node:fs";
import sparticuz from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

/** WebGPU on the processor: what a machine without a graphics card has. */
const webGpu = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--ignore-gpu-blocklist",
];

/**
 * Starts the first Chromium that runs: the one of CHROMIUM_PATH, the one in the package @sparticuz/chromium (needs libnss3), Debian's.
 * Returns why none did otherwise.
 */
export async function launch(): Promise<Browser | string> {
  const reasons: string[] = [];
  const candidates = [async () => process.env.CHROMIUM_PATH, () => sparticuz.executablePath(), async () => "/usr/bin/chromium"];
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

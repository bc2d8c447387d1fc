import type { Config } from "./types.js";
export async function writeReport(_folder: string, _config: Config): Promise<void> {}

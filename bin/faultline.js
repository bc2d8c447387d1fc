#!/usr/bin/env node
import { existsSync } from "node:fs";

const entry = new URL("../dist/app/cli/main.js", import.meta.url);
if (!existsSync(entry)) {
  process.stderr.write("faultline: this checkout is not built yet; run `npm run build` once.\n");
  process.exit(1);
}
const { main } = await import(entry.href);
process.exitCode = await main(process.argv.slice(2));

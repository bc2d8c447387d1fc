#!/usr/bin/env node
import { existsSync } from "node:fs";

const entry = new URL("../dist/main.js", import.meta.url);
if (!existsSync(entry)) {
  const checkout = existsSync(new URL("../src", import.meta.url));
  process.stderr.write(
    checkout
      ? "faultline: this checkout is not built yet; run `npm run build` once.\n"
      : "faultline: this package was packed without being built: make it with `npm run pack` (plain `npm pack` runs no build there), and install it again.\n",
  );
  process.exit(1);
}
// `faultline ... | head` closes the pipe early: that is no error.
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
const { main } = await import(entry.href);
process.exitCode = await main(process.argv.slice(2));

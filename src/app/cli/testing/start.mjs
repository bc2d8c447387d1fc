// The command line from its source, as a process of its own: `node src/app/cli/testing/start.mjs attack ...`
import { register } from "tsx/esm/api";

register();
const { main } = await import("../main.ts");
process.exitCode = await main(process.argv.slice(2));

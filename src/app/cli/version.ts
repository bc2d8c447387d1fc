import { readFileSync } from "node:fs";
import { fromSource } from "../../engine/from-source.js";

/** The package's version, as in package.json. */
export const version: string = (
  JSON.parse(readFileSync(new URL(fromSource ? "../../../package.json" : "../package.json", import.meta.url), "utf8")) as {
    version: string;
  }
).version;

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { whyNotFound } from "./resolve-faultline.js";

const manifest = fileURLToPath(new URL("../../../package.json", import.meta.url));
let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "unresolved-")));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What Node itself says of a module that lies there, in a process without our hooks. */
function refusal(path: string, text: string): Error {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
  const address = JSON.stringify(pathToFileURL(join(folder, path)).href);
  const program = `await import(${address}).catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8", env: {} });
  return Object.assign(new Error(), JSON.parse(said));
}

it.each(["faultline", "./dist/index.js"])("names the checkout that is not built where a module in it imports %s", (specifier) => {
  mkdirSync(join(folder, "clone"), { recursive: true });
  copyFileSync(manifest, join(folder, "clone", "package.json"));
  expect(whyNotFound(refusal("clone/mine.mjs", `import ${JSON.stringify(specifier)};`))).toBe(
    `Faultline in ${join(folder, "clone")} is not built: run \`npm run build\` there first`,
  );
});

it("says where Node looks, where a Node without hooks loads a module outside any project", () => {
  expect(whyNotFound(refusal("mine.mjs", 'import "faultline";'))).toMatch(
    /^Node v\S+ finds "faultline" only where it is installed beside the module/,
  );
});

it("leaves other errors to Node", () => {
  writeFileSync(join(folder, "package.json"), '{ "name": "another" }');
  expect(whyNotFound(refusal("mine.mjs", 'import "./dist/index.js";'))).toBeUndefined();
  expect(whyNotFound(refusal("mine.mjs", 'import "nowhere";'))).toBeUndefined();
  expect(whyNotFound(refusal("mine.mjs", "throw new RangeError('mine');"))).toBeUndefined();
});

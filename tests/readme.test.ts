import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type AttackResult, saveModel, type Tensor, tensor, writeTensors } from "../src/index.js";
import { smallClassifier, someImages } from "../src/vision/model/testing/small-classifier.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");
const folder = mkdtempSync(join(root, "tests/readme-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("README", () => {
  it("has code that runs as it stands", async () => {
    const [, code] = /```ts\n([\s\S]*?)```/.exec(readme)!;
    await saveModel(smallClassifier(), join(folder, "net.onnx"));
    await writeTensors(
      join(folder, "images.npz"),
      new Map<string, Tensor>([
        ["images", someImages(3)],
        ["labels", tensor("int64", [3], [0, 1, 2])],
      ]),
    );
    const here = code!.replace(/"(images\.npz|net\.onnx)"/g, (_, name: string) => JSON.stringify(join(folder, name)));
    const file = join(folder, "example.ts");
    writeFileSync(file, `${here.replace('"faultline"', '"../../src/index.js"')}\nexport { result };\n`);
    const { result } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { result: AttackResult };
    expect(result.images.shape).toEqual([3, 3, 8, 8]);
    expect(result.success).toHaveLength(3);
  });

  it("names files and npm scripts that exist", () => {
    for (const [, path] of readme.matchAll(/\]\(([^):]+)\)/g)) expect(existsSync(join(root, path!)), path).toBe(true);
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
    for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g)) expect(scripts[script!], script).toBeDefined();
  });

  it("names commands that exist", async () => {
    const { commandNames } = await import("../src/app/cli/main.js");
    const named = [...readme.matchAll(/npx faultline (\w+)/g)].map(([, name]) => name!);
    expect(commandNames()).toEqual(expect.arrayContaining(named));
  });
});

it("all pages import from the package what it offers", async () => {
  const offered = new Set(Object.keys(await import("../src/index.js")));
  const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter((p) => p.endsWith(".md"));
  const imports = pages.flatMap((page) =>
    [...readFileSync(join(root, page), "utf8").matchAll(/import \{([^}]+)\} from "faultline"/g)].map(([, names]) => ({
      page,
      // Types leave no trace at run time; the compiler sees those of the examples.
      names: names!
        .split(",")
        .map((n) => n.trim())
        .filter((n) => !n.startsWith("type ")),
    })),
  );
  expect(imports.length).toBeGreaterThan(4);
  for (const { page, names } of imports) for (const name of names) expect(offered, `${page}: ${name}`).toContain(name);
});

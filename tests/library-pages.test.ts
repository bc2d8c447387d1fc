import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { saveModel, type Tensor, tensor, unstack, writeImage, writeTensors } from "../src/index.js";
import { smallClassifier, someImages } from "../src/vision/model/testing/small-classifier.js";

// The pages of docs/library are programs: the blocks of a page, one after the other, in a folder with the files that they name.

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = readdirSync(join(root, "docs/library")).filter((name) => name.endsWith(".md"));
const text = (page: string) => readFileSync(join(root, "docs/library", page), "utf8");
const blocks = (page: string) => [...text(page).matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);

/** In the checkout, so that the packages are found. */
const folder = mkdtempSync(join(root, "tests/library-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The page for Node's side of the library; the browser's is run in Chromium, by tests/package. */
const programs = pages.filter((page) => blocks(page).length > 0 && page !== "browser.md");

beforeAll(async () => {
  await saveModel(smallClassifier(), join(folder, "net.onnx"));
  const labels = (shape: readonly number[]) =>
    tensor(
      "int64",
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i % 3),
    );
  const write = (name: string, images: Tensor, truth: Tensor) =>
    writeTensors(
      join(folder, name),
      new Map([
        ["images", images],
        ["labels", truth],
      ]),
    );
  await write("images.npz", someImages(3), labels([3]));
  copyFileSync(join(root, "fixtures/golden/attacks/segmentation/network.onnx"), join(folder, "segmenter.onnx"));
  await write("scenes.npz", someImages(3, 12, 14), labels([3, 12, 14]));
  await writeImage(join(folder, "picture.png"), unstack(someImages(1, 20, 30), 0));
  for (const page of programs) writeFileSync(program(page), source(page));
});

const program = (page: string) => join(folder, page.replace(".md", ".ts"));

/** Files are named as they lie here; the package is the source. */
const source = (page: string) =>
  `${blocks(page)
    .join("\n")
    .replace(/"([\w-]+\.(?:onnx|npz|png))"/g, (_, name: string) => JSON.stringify(join(folder, name)))
    .replaceAll('"faultline"', '"../../src/index.js"')}\nexport {};\n`;

describe("docs/library", () => {
  it.each(programs)("%s runs as it stands", async (page) => {
    const printed = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      await import(/* @vite-ignore */ pathToFileURL(program(page)).href);
      for (const values of printed.mock.calls) for (const value of values) expect(value).not.toBeUndefined();
      expect(printed.mock.calls.length + Number(page === "custom-loss.md")).toBeGreaterThan(0);
    } finally {
      printed.mockRestore();
    }
  });

  it("has the types that it uses", () => {
    const settings = { extends: "../../tsconfig.json", include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    const tsc = join(root, "node_modules/.bin/tsc");
    try {
      execFileSync(process.execPath, [tsc, "-p", folder], { stdio: "pipe" });
    } catch (error) {
      expect.fail(String((error as { stdout: Buffer }).stdout));
    }
  });

  it("has a page for each line of its list, and links that lead somewhere", () => {
    const listed = [...text("README.md").matchAll(/^\d+\. \[[^\]]+\]\(([^)]+)\)/gm)].map(([, path]) => path!);
    expect(pages.filter((page) => page !== "README.md").toSorted()).toEqual(listed.toSorted());
    for (const page of pages)
      for (const [, path] of text(page).matchAll(/\]\(([^):#]+)\)/g))
        expect(existsSync(join(root, "docs/library", dirname(page), path!)), `${page}: ${path}`).toBe(true);
  });
});

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { main } from "../../src/app/cli/main.js";
import { smallSensor } from "../../src/app/sensor/testing/small-sensor.js";
import { launch } from "./chromium.js";

// Reports in a real browser, wide and narrow, light and dark: nothing is wider than the window, and every picture is there; the model lies in folders with
// long names, whose place is nobody's business. With FAULTLINE_PICTURES=1 the
// pictures of docs/images are made anew.

const folder = mkdtempSync(join(tmpdir(), "faultline-reports-"));
const far = join(folder, "a-folder-with-a-name-that-no-telephone-has-room-for", "and-another-one-within-it-that-is-longer");
const model = join(far, "segmenter.onnx");
const pictures = fileURLToPath(new URL("../../docs/images", import.meta.url));
/** The reports that docs/images shows. */
const documented = new Set(["attack", "criticality", "report"]);
const browser = await launch();
const common = [model, "--channels", "rgb", "--data", "synthetic:96,length=9,seed=4", "--threads", "1"];

beforeAll(async () => {
  mkdirSync(far, { recursive: true });
  for (const name of ["segmenter.onnx", "segmenter.spec.json"])
    copyFileSync(fileURLToPath(new URL(`../../fixtures/models/${name}`, import.meta.url)), join(far, name));
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  await main(["attack", ...common, "--steps", "10", "--out", join(folder, "attack")]);
  await main(["criticality", ...common, "--trials", "2", "--limit", "3", "--out", join(folder, "criticality")]);
  const spectrum = (name: string, ...more: string[]) =>
    main(["spectrum", ...common.slice(0, 3), "--images", "2", "--threads", "1", "--out", join(folder, name), ...more]);
  await spectrum("spectrum", "--attack", "pgd", "--steps", "2");
  await spectrum("other");
  await main(["spectrum", "compare", join(folder, "spectrum"), join(folder, "other"), "--out", join(folder, "spectra")]);
  const several = ["--attack", "pgd,segpgd,cospgd", "--epsilon", "1/255,2/255,4/255,8/255", "--steps", "5", "--no-audit"];
  const scenes = common.map((flag) => flag.replace("length=9", "length=3"));
  await main(["attack", ...scenes, ...several, "--out", join(folder, "several")]);
  const all = ["several", "criticality", "spectrum", "other"].map((name) => join(folder, name));
  await main(["report", ...all, "--out", join(folder, "report")]);
  writeFileSync(join(folder, "sensor.json"), JSON.stringify(smallSensor));
  await main(["sensor", "train", join(folder, "sensor.json"), "--threads", "1", "--out", join(folder, "sensor")]);
  vi.restoreAllMocks();
});
afterAll(async () => {
  if (typeof browser !== "string") await browser.close();
  rmSync(folder, { recursive: true, force: true });
});

const views = [1280, 390].flatMap((width) => (["light", "dark"] as const).map((scheme) => ({ width, scheme })));

describe.skipIf(typeof browser === "string")("a report in a browser", () => {
  it.each(
    ["attack", "criticality", "spectrum", "spectra", "report", "sensor"].flatMap((report) =>
      views.map((view) => ({ report, ...view })),
    ),
  )("$report at $width pixels, $scheme", async ({ report, width, scheme }) => {
    const page = await (browser as Browser).newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
    await page.goto(pathToFileURL(join(folder, report, "report.html")).href);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    const broken =
      "[...document.images].filter((i) => { i.loading = 'eager'; return i.complete && i.naturalWidth === 0 }).length";
    expect(await page.evaluate(broken)).toBe(0);
    const shot = await page.screenshot({ clip: { x: 0, y: 0, width, height: width > 600 ? 1500 : 1300 }, fullPage: true });
    if (process.env.FAULTLINE_PICTURES && documented.has(report))
      writeFileSync(
        join(pictures, `report-${report}-${width}-${scheme}.webp`),
        await sharp(shot)
          .resize({ width: Math.min(width, 800) })
          .webp({ quality: 72 })
          .toBuffer(),
      );
    await page.close();
  });

  it.each(["attack", "criticality", "spectrum", "spectra", "report", "sensor"])(
    "%s says nothing of where it was made",
    (report) => {
      expect(readFileSync(join(folder, report, "report.html"), "utf8")).not.toContain(folder);
    },
  );
});

import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runFormat } from "../attack/plan.js";
import { thresholdsAmong, thresholdsOf } from "../attack/thresholds.js";
import { faultline, network, scratch, writeScenes } from "./testing/scene.js";

// What a build server asks of an attack: an exit code, JSON, and silence.

const folder = scratch();
const model = folder.path("net.onnx");
afterAll(() => folder.remove());
beforeAll(async () => {
  copyFileSync(network("segmentation"), model);
  await writeScenes(folder.path("scenes"), 2);
});

const attack = (...more: string[]) =>
  faultline(
    ...["attack", model, "--task", "segmentation", "--range", "0..1", "--channels", "rgb", "--meaning", "logits"],
    ...["--data", folder.path("scenes"), "--steps", "2", "--out", folder.path("run"), ...more],
  );

describe("a bound on a metric", () => {
  it("has exit code 2 where it is missed, and 0 where it is met", async () => {
    const missed = await attack("--fail-under", "miou=99");
    expect(missed.code).toBe(2);
    expect(missed.err).toMatch(/mIoU is [\d.]+.% under attack, below the 99\.0.% of --fail-under/);
    expect((await attack("--fail-under", "miou=0", "--fail-under", "aAcc=0")).code).toBe(0);
  });

  it("is refused before any work where it names no metric, or the wrong way", async () => {
    expect((await attack("--fail-under", "psnr=30")).err).toContain("segmentation has the metrics mIoU, mAcc, aAcc");
    expect((await attack("--fail-under", "miou")).err).toContain("METRIC=VALUE");
    expect(() => thresholdsOf([{ flag: "--fail-under", name: "epe", value: 3 }], { task: "flow" })).toThrow(
      "say --fail-over epe=3",
    );
    expect(() => thresholdsOf([{ flag: "--fail-over", name: "Fl-all", value: 10 }], { task: "flow" })).not.toThrow();
  });

  it("goes both ways for what is neither better nor worse the more it is, and the attacker's way where he wishes for it", () => {
    const bound = (flag: "--fail-under" | "--fail-over", name: string, target?: string) => () =>
      thresholdsOf([{ flag, name, value: 30 }], { task: "detection", target });
    for (const name of ["boxes", "score"])
      for (const flag of ["--fail-under", "--fail-over"] as const) expect(bound(flag, name)()).toMatchObject([{ metric: name }]);
    expect(bound("--fail-over", "boxes", "flood:person")).not.toThrow();
    expect(bound("--fail-under", "boxes", "vanish")).not.toThrow();
    expect(bound("--fail-over", "boxes", "vanish")).toThrow("--target vanish wants fewer boxes; say --fail-under boxes=30.");
    expect(bound("--fail-under", "boxes", "flood")).toThrow("--target flood wants more boxes; say --fail-over boxes=30.");
    expect(bound("--fail-over", "mAP")).toThrow("mAP is better the higher it is");
  });

  it("of several tasks holds for those that have the metric", () => {
    const epe = { flag: "--fail-over", name: "epe", value: 3 } as const;
    const of = thresholdsAmong([epe], [{ task: "segmentation" }, { task: "flow" }]);
    expect(of({ task: "flow" })).toMatchObject([{ metric: "EPE" }]);
    expect(of({ task: "segmentation" })).toEqual([]);
    expect(() => thresholdsAmong([epe], [{ task: "segmentation" }])).toThrow("segmentation has the metrics");
  });

  it("is refused where a share looks as if it were meant in parts of one", async () => {
    expect((await attack("--fail-under", "miou=0.4")).err).toContain(
      "shares are in percent; write miou=40, or miou=0.4% if that",
    );
    expect(() =>
      thresholdsOf([{ flag: "--fail-under", name: "miou", value: 0.4, unit: "%" }], { task: "segmentation" }),
    ).not.toThrow();
    expect(() => thresholdsOf([{ flag: "--fail-over", name: "epe", value: 0.4 }], { task: "flow" })).not.toThrow();
  });

  it("waits for the whole of a run that is done in parts", async () => {
    expect((await attack("--fail-under", "miou=1", "--shard", "1/2")).err).toContain("faultline audit");
  });
});

describe("output for programs", () => {
  it("is one JSON document on standard output", async () => {
    const { out, err, code } = await attack("--json", "--quiet");
    expect(code).toBe(0);
    expect(err).toBe("");
    const result = JSON.parse(out);
    expect(result).toMatchObject({ exitCode: 0, missed: [], summary: { format: runFormat, samples: 2 } });
    expect(result.audit).toHaveLength(17);
    expect(existsSync(result.report)).toBe(true);
  });

  it("is nothing at all with --quiet where nothing is wrong", async () => {
    expect(await attack("--quiet")).toEqual({ code: 0, out: "", err: "" });
  });
});

describe("the audit", () => {
  it("is left out on demand, and the report says so", async () => {
    const { out, code } = await attack("--no-audit");
    expect(code).toBe(0);
    expect(out).toContain("not audited");
    expect(existsSync(folder.path("run", "audit.json"))).toBe(false);
    expect(readFileSync(folder.path("run", "report.html"), "utf8")).toContain("was not audited");
  });

  it("fails the run unless that is allowed", async () => {
    const segmenter = folder.path("segmenter.onnx");
    copyFileSync(fileURLToPath(new URL("../../../fixtures/models/segmenter.onnx", import.meta.url)), segmenter);
    await writeScenes(folder.path("noise"), 1, (i) => i % 5, { height: 96, width: 96 });
    // Said to yield probabilities, which its logits are not.
    const wrong = (...more: string[]) =>
      faultline(
        ...["attack", segmenter, "--task", "segmentation", "--range", "0..1", "--meaning", "probabilities", "--steps", "1"],
        ...["--data", folder.path("noise"), "--out", folder.path("wrong"), ...more],
      );
    const refused = await wrong();
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("the audit failed (");
    expect((await wrong("--allow-audit")).code).toBe(0);
  });
});

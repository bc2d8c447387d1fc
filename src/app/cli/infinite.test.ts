import { afterAll, expect, it } from "vitest";
import { faultline, network, scratch } from "./testing/scene.js";

const folder = scratch();
afterAll(() => folder.remove());

it("the table shows the PSNR of equal pictures as infinite, not as unknown", async () => {
  const { code, out, err } = await faultline(
    ...["attack", network("restoration"), "--task", "restoration", "--data", "synthetic:32x32,length=1"],
    ...["--attack", "fgsm", "--no-audit", "--threads", "1", "--out", folder.path("run")],
  );
  expect(code, err).toBe(0);
  expect(out).toMatch(/^PSNR to the clean prediction +∞ +\d+\.\d{4} /m);
  expect(out).toMatch(/^SSIM to the clean prediction +1\.0000 /m);
});

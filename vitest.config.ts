import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "tests/**/*.test.ts", "tools/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/*.browser.test.ts"],
    globalSetup: ["tests/package/pack-folder.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // ONNX Runtime already uses every core; two files at a time keep a two-core machine busy without thrashing it.
    maxWorkers: 2,
  },
});

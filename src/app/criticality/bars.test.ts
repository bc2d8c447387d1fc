import { describe, expect, it } from "vitest";
import { bar, barLine } from "./bars.js";

const trial = { trial: 0, criticality: 0.5, l1: 0, l2: 0 };
const profile = { criticality: 0.5, deviation: 0.031, trials: [trial, trial] };

describe("bars", () => {
  it("are drawn to an eighth of a character, within their width", () => {
    expect(bar(0.5, 8)).toBe("████····");
    expect(bar(1 / 64, 8)).toBe("▏·······");
    expect([bar(1.2, 4), bar(-1, 4)]).toEqual(["████", "····"]);
  });

  it("give way in a narrow terminal, and then the beginning of the name", () => {
    const name = "backbone.features.stage3.block12.depthwise";
    expect(barLine(name, 42, profile)).toMatch(
      /^backbone\.features\.stage3\.block12\.depthwise {2}█{16}·{16} {3}50\.0 % ± 3\.1 %$/,
    );
    const narrow = barLine(name, 42, profile, 64);
    expect(narrow).toMatch(/^…\S*depthwise {2}████···· {3}50\.0 % ± 3\.1 %$/);
    expect(narrow.length + "  1234/1234".length).toBeLessThanOrEqual(64);
  });
});

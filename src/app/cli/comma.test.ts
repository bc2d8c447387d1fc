import { expect, it } from "vitest";
import { commaWords, pointsMeant } from "./comma.js";

it("finds numbers with a comma for a point, and leaves lists alone", () => {
  expect(pointsMeant("0,03")).toBe("0.03");
  expect(pointsMeant("0,5")).toBe("0.5");
  expect(pointsMeant("1,05")).toBe("1.05");
  expect(pointsMeant("0,485,0,456,0,406")).toBe("0.485,0.456,0.406");
  for (const list of ["2/255,8/255", "1,2", "0.1,0.5", "0,0,0", "0.0,3", "10,20,40", "4", "0,1,2"])
    expect(pointsMeant(list), list).toBeUndefined();
  expect(commaWords("0,03", "0.03")).toBe(
    "a comma stands between the numbers of a list; for one number write 0.03, for the list of both 0.0,03",
  );
});

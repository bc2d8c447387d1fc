import { expect, it } from "vitest";
import { distinctNames } from "./distinct-names.js";

it.each([
  [
    ["a/net.onnx", "b/wide.onnx"],
    ["net.onnx", "wide.onnx"],
  ],
  [
    ["/home/me/a/model.onnx", "/home/me/b/model.onnx"],
    ["a/model.onnx", "b/model.onnx"],
  ],
  [
    ["/home/me/model.onnx", "/home/me/model.onnx"],
    ["model.onnx (1)", "model.onnx (2)"],
  ],
  [
    ["x/a/run", "y/a/run", "y/a/run", "z"],
    ["x/a/run", "y/a/run (1)", "y/a/run (2)", "z"],
  ],
  [
    ["run", "runs/run"],
    ["run", "runs/run"],
  ],
  [
    ["runs/one/", "./runs/two"],
    ["one", "two"],
  ],
  [["C:\\nets\\one.onnx"], ["one.onnx"]],
  [
    ["/", "."],
    ["/ (1)", "/ (2)"],
  ],
  [[], []],
])("names of %j are %j", (paths, names) => {
  expect(distinctNames(paths)).toEqual(names);
});

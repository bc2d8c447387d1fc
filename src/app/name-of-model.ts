import { basename, dirname, resolve } from "node:path";

/** What a model is called by its file; one that `faultline train` wrote (`runs/deblur/model.onnx`) bears the name of its run. */
export function nameOfModel(path: string): string {
  const name = basename(path, ".onnx");
  return name === "model" ? basename(dirname(resolve(path))) || name : name;
}

/** Where a model's specification lies unless another file is named: `net.spec.json` beside `net.onnx`. */
export const sidecarOf = (model: string): string => `${model.replace(/\.onnx$/, "")}.spec.json`;

/** Layouts of data sets, in the order in which they are tried: the plain folder last, because it asks for least. */
export const layoutNames = [
  "voc",
  "coco",
  "cityscapes",
  "ade20k",
  "kitti",
  "sintel",
  "flying-things",
  "flying-chairs",
  "nyu-depth",
  "kitti-depth",
  "gopro",
  "imagenet",
  "folder",
] as const;

export type LayoutName = (typeof layoutNames)[number];

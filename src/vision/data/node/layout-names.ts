/**
 * Layouts of data sets, in the order in which they are tried: the plain folder late, because it asks for little, and archives last, since they may lie beside
 * what was unpacked of them.
 */
export const layoutNames = [
  "voc",
  "coco",
  "coco-panoptic",
  "coco-stuff",
  "cityscapes",
  "ade20k",
  "kitti",
  "kitti-2012",
  "sintel",
  "flying-things",
  "flying-chairs",
  "nyu-depth",
  "kitti-depth",
  "gopro",
  "sidd",
  "imagenet",
  "folder",
  "parquet",
  "webdataset",
] as const;

export type LayoutName = (typeof layoutNames)[number];

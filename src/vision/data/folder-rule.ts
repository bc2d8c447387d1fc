import type { Tensor } from "../../engine/tensor/tensor.js";

/** How a plain folder holds samples of a task. */
export interface FolderRule {
  /** Where the inputs may lie, by role, each with the folder of its labels; the first that exists counts. "" is the folder itself. */
  readonly arrangements: readonly { readonly inputs: Readonly<Record<string, string>>; readonly labels?: string }[];
  /** How files of labels are read. */
  readonly labels: LabelFiles;
  /** A folder with one image where the task takes two: each is matched to the next. */
  readonly frames?: true;
}

export type LabelFiles =
  /** Classes of whole images: a list `labels.txt`, "name class" a line. */
  | { readonly kind: "list" }
  /** One mask of class indices for each picture. */
  | { readonly kind: "masks"; readonly ignoreLabel: number }
  /** Pictures like the inputs. */
  | { readonly kind: "pictures" }
  /** A list of the objects for each picture, in a text file; a picture without one has no objects. */
  | {
      readonly kind: "objects";
      readonly extension: string;
      readonly read: (bytes: Uint8Array, size: { readonly height: number; readonly width: number }) => Tensor;
      readonly write: (list: Tensor, size: { readonly height: number; readonly width: number }) => Uint8Array<ArrayBuffer>;
    }
  /** Files of numbers, with readers by their extension; the first is the usual one, and how it is written. */
  | {
      readonly kind: "maps";
      readonly readers: Readonly<Record<string, (bytes: Uint8Array) => Truth>>;
      readonly write: (truth: Truth) => Uint8Array<ArrayBuffer>;
    };

/** A map of numbers float32 [C, H, W], and where it is known. */
export interface Truth {
  readonly target: Tensor<"float32">;
  readonly valid: Tensor<"bool">;
}

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { SubjectName } from "./config.js";

/** One cell: an attack of one setting and seed on all pictures of a subject. Scores are shares in [0, 1] over all of them. */
export interface Cell {
  readonly norm: string;
  readonly epsilon: string;
  readonly attack: string;
  /** 0 for noise. */
  readonly steps: number;
  readonly seed: number;
  readonly mIoU: number;
  readonly mAcc: number;
  readonly aAcc: number;
  /** Mean cross-entropy. */
  readonly loss: number;
}

export interface Results {
  /** SHA-256 of the model's file. */
  readonly model: string;
  readonly runtime: string;
  readonly clean: { readonly mIoU: number; readonly mAcc: number; readonly aAcc: number; readonly loss: number };
  readonly cells: Cell[];
}

const fileOf = (subject: SubjectName) =>
  new URL(subject === "segmenter" ? "results.json" : `results-${subject}.json`, import.meta.url);

export function readResults(subject: SubjectName): Results | undefined {
  const file = fileOf(subject);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Results) : undefined;
}

/** One cell a line, so that changes can be read. */
export function writeResults(subject: SubjectName, { cells, ...head }: Results): void {
  const lines = cells.map((c) => `    ${JSON.stringify(c)}`).join(",\n");
  writeFileSync(fileOf(subject), `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "cells": [\n${lines}\n  ]\n}\n`);
}

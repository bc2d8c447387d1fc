import { z } from "zod";
import { parseSafetensors, SafetensorsError, writeSafetensors } from "../../engine/tensor/safetensors.js";
import type { Tensor } from "../../engine/tensor/tensor.js";
import type { TrainingState } from "../../methods/training/trainer.js";
import { ConfigError } from "./config.js";

/** What a run goes on from: the trainer's state, and the losses since the last record. */
export interface Checkpoint {
  readonly state: TrainingState;
  readonly losses: readonly number[];
}

/** Tensors are named `network/<name>`, `average/<name>` and `optimizer/<vector>/<name>`. */
export function encodeCheckpoint({ state, losses }: Checkpoint): Uint8Array {
  const tensors = new Map<string, Tensor>();
  for (const [name, t] of state.network) tensors.set(`network/${name}`, t);
  for (const [name, t] of state.average ?? []) tensors.set(`average/${name}`, t);
  for (const [vector, parts] of Object.entries(state.optimizer))
    for (const [name, t] of parts) tensors.set(`optimizer/${vector}/${name}`, t);
  return writeSafetensors(tensors, { step: String(state.step), losses: JSON.stringify(losses) });
}

/** Whether tensors of these names are what a training goes on from, and no network's weights alone. */
export const isTrainingState = (names: Iterable<string>): boolean => [...names].some((name) => name.startsWith("network/"));

/** @throws ConfigError where the file is damaged or no checkpoint of a training run. */
export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const { tensors, metadata } = parsed(bytes, where);
  const step = Number(metadata.step);
  if (!Number.isInteger(step)) throw new ConfigError(`${where} is no checkpoint of a training run; remove it to begin anew.`);
  const network = new Map<string, Tensor>();
  const average = new Map<string, Tensor>();
  const optimizer: Record<string, Map<string, Tensor>> = {};
  for (const [path, t] of tensors) {
    const [kind, ...rest] = path.split("/");
    if (kind === "network") network.set(rest.join("/"), t);
    else if (kind === "average") average.set(rest.join("/"), t);
    else {
      const [vector, ...name] = rest;
      optimizer[vector!] ??= new Map();
      optimizer[vector!]!.set(name.join("/"), t);
    }
  }
  return {
    state: { step, network, optimizer, ...(average.size > 0 && { average }) },
    losses: lossesOf(metadata.losses ?? "[]", where),
  };
}

function lossesOf(text: string, where: string): number[] {
  try {
    return z.array(z.number()).parse(JSON.parse(text));
  } catch {
    throw new ConfigError(`${where} is damaged (its losses are no list of numbers); remove it to begin anew.`);
  }
}

function parsed(bytes: Uint8Array, where: string) {
  try {
    return parseSafetensors(bytes);
  } catch (error) {
    if (error instanceof SafetensorsError)
      throw new ConfigError(`${where} is damaged (${error.message}); remove it to begin anew.`);
    throw error;
  }
}

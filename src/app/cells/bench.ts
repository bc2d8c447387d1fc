import type { OnnxModel } from "../../engine/onnx/model.js";
import type { Engine, OptimizationLevel, Provider } from "../../engine/runtime/engine.js";
import { createEngine } from "../../engine/runtime/node.js";
import type { Finish } from "../attack/finish.js";
import { type AttackPlan, planOf } from "../attack/plan.js";
import { dataOf, reopen } from "../attack/reopen.js";
import { type RunHooks, runPlan } from "../attack/run-plan.js";
import { fingerprintOf } from "../data/fingerprint.js";
import { openData } from "../data/open-data.js";
import { hashModel } from "../hash-model.js";
import type { Plugins } from "../plugins/plugins.js";
import { readPredicting } from "../read-predicting.js";
import { RunError } from "../runs/error.js";
import { asPlanFile, type Cell, CellError } from "./cell.js";
import { writeDone } from "./done.js";

/** From what a cell's plan names to its path on this machine; what is not in it lies where it is named. */
export type PlaceTable = Readonly<Record<string, string>>;

export interface CellHooks extends Pick<RunHooks, "signal"> {
  readonly places?: PlaceTable;
  /** Samples that are done, of how many, and a short note. */
  readonly onProgress?: (done: number, total: number, note: string) => void;
  /** Told what is being done. */
  readonly say?: (text: string) => void;
}

/** A run without words: what came of it is read from its directory. */
const silent: Omit<Finish, "audit" | "assets" | "say"> = {
  print: "nothing",
  allowAudit: true,
  allowFailed: true,
  thresholds: [],
};

/**
 * Runs cells, one after the other, in this process. Engine and model stay for the next cell.
 *
 * @example
 * const bench = new Bench(noPlugins);
 * await bench.run(cell, "sweep/cells/resnet-pgd", { signal: new AbortController().signal }); // "done"
 * await bench.dispose();
 */
export class Bench {
  #engine: { readonly key: string; readonly engine: Promise<Engine> } | undefined;
  #model: { readonly key: string; readonly model: Promise<OnnxModel> } | undefined;
  /** Data sets that were held against their fingerprint. */
  readonly #known = new Set<string>();

  /** @param plugins modules that are loaded; a cell of other modules is refused. */
  constructor(private readonly plugins: Plugins) {}

  /**
   * Makes a cell's run directory, or what is left of it. It is finished when this gives "done", and holds `cell.json` from then on.
   *
   * @throws CellError for a cell that can be run nowhere; any other error is of this machine, or of the attack, in one sentence.
   */
  async run(
    cell: Cell,
    folder: string,
    { places = {}, signal, onProgress, say = () => {} }: CellHooks,
  ): Promise<"done" | "stopped"> {
    const at = (named: string) => places[named] ?? named;
    try {
      const engine = await this.#engineOf(cell);
      const plan = this.#planOf(cell, engine);
      const model = await this.#modelOf(plan, at);
      await this.#checkData(plan, at);
      const context = await reopen({ plan, plugins: this.plugins }, engine, folder, { model, at });
      let [done, total] = [0, 0];
      const end = await runPlan(
        context,
        folder,
        { ...silent, audit: cell.audit, assets: cell.assets, say },
        {
          signal,
          onOpen: (before, all) => {
            [done, total] = [before, all];
            onProgress?.(done, total, "");
          },
          onProgress: (now, note) => {
            done = now;
            onProgress?.(done, total, note);
          },
          onAttacked: () => onProgress?.(total, total, cell.audit === "run" ? "audit" : "report"),
        },
      );
      if ("stopped" in end) return "stopped";
      writeDone(folder, cell);
      return "done";
    } catch (error) {
      // What an error leaves of an engine is not relied on.
      await this.dispose();
      throw error;
    }
  }

  async dispose(): Promise<void> {
    const engine = await this.#engine?.engine.catch(() => undefined);
    this.#engine = undefined;
    this.#model = undefined;
    await engine?.dispose();
  }

  #planOf(cell: Cell, engine: Engine): AttackPlan {
    const file = asPlanFile(cell.plan, engine.info.runtime);
    const missing = (file.plugins ?? []).find(({ sha256 }) => !this.plugins.files.some((own) => own.sha256 === sha256));
    if (missing)
      throw new CellError(`${cell.name} needs the module ${missing.path} (--plugin), which is not loaded here, or is another.`);
    try {
      return planOf(file, this.plugins);
    } catch (error) {
      throw new CellError(`${cell.name} cannot be run: ${(error as Error).message}`);
    }
  }

  async #engineOf({ plan: { runtime } }: Cell): Promise<Engine> {
    const { provider, threads, optimization } = runtime;
    const key = JSON.stringify([provider, threads, optimization]);
    if (this.#engine?.key !== key) {
      await this.dispose();
      const options = { provider: provider as Provider, threads, optimization: optimization as OptimizationLevel };
      this.#engine = { key, engine: createEngine(options) };
    }
    return this.#engine!.engine;
  }

  #modelOf({ model: { path, sha256 }, spec }: AttackPlan, at: (named: string) => string): Promise<OnnxModel> {
    const key = JSON.stringify([at(path), sha256, spec.output.name]);
    if (this.#model?.key !== key) {
      const read = async () => {
        if ((await hashModel(at(path))) !== sha256)
          throw new RunError(`${at(path)} is another file than the one that was planned with: its SHA-256 differs.`);
        return readPredicting(at(path), spec);
      };
      this.#model = { key, model: read() };
    }
    return this.#model.model;
  }

  /** @throws RunError where what lies here is not the data set that was planned with. */
  async #checkData({ data, spec }: AttackPlan, at: (named: string) => string): Promise<void> {
    const { limit: _, ...named } = data;
    const key = JSON.stringify([at(data.path), named]);
    if (data.sha256 === undefined || this.#known.has(key)) return;
    const { dataset } = await openData(data.path, dataOf({ data, spec }, at), spec.size);
    if (dataset.length !== data.length || (await fingerprintOf(dataset)) !== data.sha256)
      throw new RunError(
        `${at(data.path)} holds other samples than those that were planned with (their number, names, pictures or truth).`,
      );
    this.#known.add(key);
  }
}

import { createHash } from "node:crypto";
import type { OnnxModel } from "../../engine/onnx/model.js";
import { type Attack, checkAttack } from "../../methods/attacks/definition.js";
import type { Dataset } from "../../vision/data/dataset.js";
import { readImage } from "../../vision/data/node/image-file.js";
import { checkHead, completeSpec, declaredClasses } from "../../vision/spec/model-predictor.js";
import type { ModelSpec } from "../../vision/spec/model-spec.js";
import { tasks } from "../../vision/tasks/index.js";
import { asNamed, type Places } from "../attack/places.js";
import { type AttackPlan, runFormat } from "../attack/plan.js";
import { withPictures } from "../attack/prepare.js";
import { readRegion } from "../attack/reopen.js";
import { plannedBatches } from "../attack/run-attack.js";
import { eotOf } from "../attack/transform-of.js";
import { dataOptions } from "../cli/actions/data.js";
import { fitOf } from "../cli/actions/fit.js";
import { fitOnOf } from "../cli/actions/fit-on.js";
import type { SaidSpec } from "../cli/actions/spec.js";
import { transferModels } from "../cli/actions/transfer.js";
import type { AttackCommandFlags } from "../cli/commands/attack.js";
import { UsageError } from "../cli/errors.js";
import { version } from "../cli/version.js";
import { fingerprintOf, hashSample } from "../data/fingerprint.js";
import { type DataOptions, openData } from "../data/open-data.js";
import { hashFile } from "../hash-file.js";
import { hashModel } from "../hash-model.js";
import { type Plugins, taskWith } from "../plugins/plugins.js";
import { withHeadRead } from "../read-head.js";
import { readPredicting } from "../read-predicting.js";

/** Everything that is asked of a run beside its model and its attack, by the names of the flags. */
export type RunSettings = Pick<
  AttackCommandFlags,
  | "format"
  | "split"
  | "variant"
  | "corruption"
  | "ignore"
  | "limit"
  | "resize"
  | "shorter"
  | "crop"
  | "mismatch"
  | "tile"
  | "overlap"
  | "scale"
  | "eot"
  | "eotSamples"
  | "perturb"
  | "region"
  | "fitOn"
  | "perturbation"
  | "target"
  | "reference"
  | "save"
  | "transferTo"
  | "batch"
  | "seed"
  | "shard"
  | "memory"
  | "provider"
  | "optimization"
  | "quiet"
> & { readonly data: string; readonly threads: number };

/** What a run does where nothing is said. */
export const usualSettings = { mismatch: "pad", reference: "truth", save: "8-bit", batch: 1, seed: 0 } as const;

/** A model that runs are planned with. */
export interface PlannedModel {
  /** As it is named. */
  readonly path: string;
  readonly sha256: string;
  readonly spec: ModelSpec;
  /** Where the file says how many it has: scenes that are made show no more. */
  readonly classes?: number | undefined;
  readonly assumed: SaidSpec["assumed"];
}

/** A run as it is asked for: everything that determines it, but for the machine. */
export type PlannedRun = Omit<AttackPlan, "runtime"> & {
  readonly runtime: Omit<AttackPlan["runtime"], "runtime">;
};

interface OpenedData {
  readonly dataset: Dataset;
  readonly name: string;
  readonly sha256: string;
}

/** Samples whose contents are looked at for the key of a cell: all, where there are no more. */
const lookedAt = 256;

/**
 * Makes plans of what is asked for, and finds what is wrong with it before anything runs. Each file is read once, however many plans name it.
 *
 * @param at where what is named lies on this machine.
 */
export class Planner {
  readonly #hashes = new Map<string, Promise<string>>();
  readonly #data = new Map<string, Promise<OpenedData>>();
  readonly #samples = new Map<string, Promise<string>>();

  constructor(
    private readonly plugins: Plugins,
    private readonly at: Places = asNamed,
  ) {}

  /** @throws ModelError, SpecError in one sentence. */
  async model(path: string, { spec: said, assumed }: SaidSpec): Promise<PlannedModel & { readonly file: OnnxModel }> {
    const file = await readPredicting(this.at(path), said);
    const spec = await withHeadRead(file, completeSpec(file, said));
    checkHead(file, spec);
    return { path, sha256: await hashModel(this.at(path)), spec, classes: declaredClasses(file, spec), assumed, file };
  }

  /** Opens the data set that runs of a model are about. @throws DataError in one sentence. */
  async data(settings: RunSettings, { spec }: PlannedModel): Promise<void> {
    await this.#open(settings, spec);
  }

  /** @throws UsageError, DataError, AttackError and so on: one sentence for the first thing that does not go together. */
  async plan(attack: Attack, model: PlannedModel, settings: RunSettings): Promise<PlannedRun> {
    const { provider = "cpu", threads, optimization = "all", memory } = settings;
    const opened = await this.#open(settings, model.spec, model.classes);
    const { ignoreLabel } = opened.dataset;
    const spec =
      ignoreLabel === undefined || settings.ignore
        ? model.spec
        : { ...model.spec, ignore: [...new Set([...model.spec.ignore, ignoreLabel])] };
    const { roles }: { readonly roles: readonly string[] } = tasks[spec.task];
    const stranger = settings.perturb?.find((role) => !roles.includes(role));
    if (stranger !== undefined)
      throw new UsageError(`there is no image "${stranger}" to perturb; ${spec.task} has ${roles.join(", ")}.`);
    const fit = fitOf(settings, spec);
    const eot = await eotOf(settings.eot, settings.eotSamples, this.at);
    const { target } = settings;
    const goal = target === undefined ? { kind: "untargeted" as const } : { kind: "targeted" as const, target };
    const aim = { task: taskWith(tasks[spec.task], this.plugins), goal: goal.kind } as const;
    await checkAttack(attack, aim, {
      perturb: settings.perturb !== undefined,
      region: settings.region !== undefined,
      transform: eot !== undefined,
    });
    const others = await transferModels(
      settings.transferTo ?? [],
      {},
      { path: model.path, spec, classes: model.classes },
      !settings.quiet,
      this.at,
    );
    const fitOn = await fitOnOf(attack, settings, spec, this.at);
    if (target !== undefined)
      await aim.task.wish.read(target, (path) => readImage(this.at(path)), spec.classes ?? opened.dataset.classNames);
    if (settings.region !== undefined) await readRegion(this.at(settings.region));
    return {
      command: "attack",
      format: runFormat,
      version,
      model: { path: model.path, sha256: model.sha256 },
      spec,
      ...(model.assumed.length > 0 && { assumed: model.assumed.map((a) => a.field) }),
      data: {
        path: opened.name,
        ...dataOptions(settings),
        sha256: opened.sha256,
        length: withPictures(opened.dataset, fit).length,
        ...(settings.limit && { limit: settings.limit }),
      },
      fit,
      ...(this.plugins.files.length > 0 && { plugins: [...this.plugins.files] }),
      attack,
      threat: {
        scale: settings.scale ?? tasks[spec.task].scale,
        ...(settings.perturb && { perturb: settings.perturb }),
        ...(eot && { eot }),
        ...(settings.region && { region: settings.region }),
      },
      ...(fitOn && { fitOn }),
      goal,
      reference: settings.reference,
      save: others.length > 0 ? "float" : settings.save,
      ...(others.length > 0 && { transfer: others }),
      batch: settings.batch,
      seed: settings.seed,
      ...(settings.shard && { shard: settings.shard }),
      runtime: { provider, threads, optimization, ...(memory && { memory }) },
    };
  }

  /** SHA-256 of what a plan does not hold itself: the samples that it is about (up to 256 of them, evenly spread), masks, pictures to drive towards. */
  async contents(plan: PlannedRun, settings: RunSettings): Promise<string[]> {
    const indices = plannedBatches(plan).flat();
    const step = Math.max(1, indices.length / lookedAt);
    const chosen = Array.from({ length: Math.min(lookedAt, indices.length) }, (_, i) => indices[Math.floor(i * step)]!);
    const { corruption: _, ...others } = settings;
    const plain = { ...others, data: plan.data.path };
    const key = JSON.stringify([keyOfData(plain, plan.spec), chosen]);
    const samples = memo(this.#samples, key, async () => {
      const { dataset } = await this.#open(plain, plan.spec);
      const hash = createHash("sha256");
      for (const index of chosen) await hashSample(hash, dataset, index);
      return hash.digest("hex");
    });
    const files = [plan.threat.region, ...(plan.goal.kind === "targeted" ? [await this.#picture(plan.goal.target, plan)] : [])];
    return [await samples, ...(await Promise.all(files.flatMap((file) => (file === undefined ? [] : [this.#hash(file)]))))];
  }

  /** The file that a target names, where it names one. */
  async #picture(target: string, { spec }: PlannedRun): Promise<string | undefined> {
    let named: string | undefined;
    await tasks[spec.task].wish.read(
      target,
      (path) => {
        named = path;
        return readImage(this.at(path));
      },
      spec.classes,
    );
    return named;
  }

  #hash(path: string): Promise<string> {
    return memo(this.#hashes, path, () => hashFile(this.at(path)));
  }

  #open(settings: Omit<RunSettings, "shard">, spec: ModelSpec, classes?: number): Promise<OpenedData> {
    return memo(this.#data, `${keyOfData(settings, spec)} ${classes}`, async () => {
      const options: DataOptions = { task: spec.task, at: this.at, classes, ...dataOptions(settings) };
      const { dataset, name } = await openData(settings.data, options, spec.size);
      return { dataset, name, sha256: await fingerprintOf(dataset) };
    });
  }
}

/** What a data set is, for a model: scenes that are made depend on the sizes that it takes. */
const keyOfData = (settings: RunSettings, { task, size }: ModelSpec): string =>
  JSON.stringify([settings.data, dataOptions(settings), task, size]);

function memo<V>(known: Map<string, Promise<V>>, key: string, make: () => Promise<V>): Promise<V> {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { nearest } from "../../engine/onnx/nearest.js";
import { noAttack } from "../../methods/attacks/catalogue/no-attack.js";
import { type Attack, budgetRemarks } from "../../methods/attacks/definition.js";
import { commonCorruptions } from "../../vision/corruptions/catalogue.js";
import { corruptions as allCorruptions } from "../../vision/corruptions/index.js";
import { tasks } from "../../vision/tasks/index.js";
import { flagOf } from "../attack/flag-of.js";
import { fieldsOf, typed } from "../attack/parameters.js";
import type { Places } from "../attack/places.js";
import { planFile } from "../attack/plan.js";
import { type Cell, cellOf } from "../cells/cell.js";
import { type PlannedModel, Planner, type RunSettings, usualSettings } from "../cells/planner.js";
import { resolveSpec } from "../cli/actions/spec.js";
import { attacksTyped, attackTyped } from "../cli/attack-flags.js";
import { sentenceOf } from "../cli/errors.js";
import { parseBytes, parseSize } from "../cli/model-options.js";
import { readCorruption } from "../data/corruption.js";
import { isMade } from "../data/open-data.js";
import { demandTask, readSuite, runsOf, type Suite } from "../evaluate/suite.js";
import { nameOfModel } from "../name-of-model.js";
import type { Plugins } from "../plugins/plugins.js";
import { isUrl, shownUrl } from "../queue/download.js";
import { type DataEntry, type ModelEntry, PlanError, type SweepPlan } from "./plan-file.js";

/** What a plan comes to. */
export interface SweepCells {
  readonly cells: readonly Cell[];
  /** What cannot be run, one sentence each, with the number of cells that it is about where it is not all of a plan. */
  readonly problems: readonly string[];
  /** What is allowed and yet hardly meant, or assumed. */
  readonly notes: readonly string[];
}

/** One attack as a plan has it, and how its cells are called. */
interface Planned {
  readonly attack: Attack;
  readonly label: string;
}

/** What is done to images and model in one cell. */
interface Treatment extends Planned {
  readonly corruption?: string;
}

/**
 * The cells of a plan in their order: models, data sets, attacks, corruptions, seeds. Everything that can be found wrong before anything runs is: models
 * are read, data sets opened, attacks held against tasks.
 *
 * @param at where what it names lies (`fetchedPlaces`). @param limit takes the place of what the plan says.
 */
export async function cellsOf(
  plan: SweepPlan,
  at: Places,
  plugins: Plugins,
  { limit }: { readonly limit?: number | undefined } = {},
): Promise<SweepCells> {
  const problems = new Problems();
  const notes = new Set<string>();
  const planner = new Planner(plugins, at);
  const models = plan.models.map((m): ModelEntry => (typeof m === "string" ? { path: m } : m));
  const sets = [plan.data].flat().map((d): DataEntry => (typeof d === "string" ? { path: d } : d));
  const own = await treatmentsOf(plan, plugins, at, problems, notes);
  const suites = (plan.suites ?? []).flatMap((name) => problems.tried(() => [suiteIn(name, at)], []));
  if (own.length === 0 && suites.length === 0 && problems.none)
    problems.add("the plan has neither attacks, corruptions nor suites; write attacks: [none] for clean numbers.");
  const cells = new Map<string, Cell>();
  const seeds = [plan.seeds].flat();
  for (const entry of models) {
    const model = await problems.triedLater(() => readModel(entry, planner, at, notes));
    if (!model) continue;
    const treatments = [
      ...own,
      ...suites.flatMap((suite) => problems.tried(() => treatmentsIn(suite, model, plan, plugins, notes), [])),
    ];
    for (const data of chosenFor(entry, sets, problems)) {
      const plain = settingsOf(plan, entry, data, { seed: seeds[0]!, corruption: undefined, limit });
      const opened = await problems.triedLater(
        async () => {
          await planner.data(plain, model);
          return true;
        },
        `${entry.name ?? nameOfModel(entry.path)} on ${nameOfData(data)}`,
      );
      if (!opened) continue;
      for (const treatment of treatments)
        for (const seed of seeds) {
          const settings = settingsOf(plan, entry, data, { seed, corruption: treatment.corruption, limit });
          const name = nameOf(entry, data, treatment, seeds.length > 1 ? seed : undefined);
          const cell = await problems.triedLater(async () => {
            const planned = await planner.plan(treatment.attack, model, settings);
            return cellOf({
              name: (digits) => `cells/${name}-${digits}`,
              plan: planFile(planned),
              contents: await planner.contents(planned, settings),
              // Where nothing may change there is nothing to audit.
              audit: plan.audit && treatment.attack.budget.epsilon !== 0 ? "run" : "skipped",
              assets: plan.assets,
            });
          }, name);
          // The same cell twice (an attack that stands in a suite too) is one.
          if (cell) cells.set(cell.key, cells.get(cell.key) ?? cell);
        }
    }
  }
  return { cells: [...cells.values()], problems: problems.sentences(), notes: [...notes] };
}

async function readModel(entry: ModelEntry, planner: Planner, at: Places, notes: Set<string>): Promise<PlannedModel> {
  if (!existsSync(at(entry.path))) throw new PlanError(`${entry.path}: there is no such model; paths are relative to the plan.`);
  if (typeof entry.spec === "string" && !existsSync(at(entry.spec)))
    throw new PlanError(`${entry.spec} (spec of ${entry.path}): there is no such file; paths are relative to the plan.`);
  const flags = typeof entry.spec === "string" ? { spec: at(entry.spec) } : {};
  const more = typeof entry.spec === "object" ? entry.spec : {};
  const said = resolveSpec(at(entry.path), flags, undefined, more);
  // The file itself is not kept: there may be many.
  const { file: _, ...model } = await planner.model(entry.path, said);
  if (model.assumed.length > 0)
    notes.add(
      `assumed of ${entry.path}, since nobody says it: ${model.assumed.map((a) => `${a.what} ${a.value}`).join(", ")}; write it in the plan (spec), or let faultline doctor --write test it`,
    );
  return model;
}

/** The data sets of a model. */
function chosenFor({ path, data }: ModelEntry, sets: readonly DataEntry[], problems: Problems): readonly DataEntry[] {
  if (data === undefined) return sets;
  const names = sets.map(nameOfData);
  for (const name of [data].flat()) {
    if (names.includes(name)) continue;
    const [like] = nearest(name, names);
    problems.add(
      `${path}: there is no data set "${name}" in the plan${like === undefined ? "" : ` (did you mean ${like}?)`}; there are ${names.join(", ")}.`,
    );
  }
  return sets.filter((set) => [data].flat().includes(nameOfData(set)));
}

function settingsOf(
  plan: SweepPlan,
  model: ModelEntry,
  data: DataEntry,
  {
    seed,
    corruption,
    limit,
  }: { readonly seed: number; readonly corruption: string | undefined; readonly limit: number | undefined },
): RunSettings {
  const sizeIn = (text: string | undefined) => (text === undefined ? undefined : parseSize(text));
  const memory = model.memory ?? plan.memory;
  const said = {
    format: data.format,
    split: data.split,
    variant: data.variant,
    limit: limit ?? data.limit ?? plan.limit,
    resize: sizeIn(data.resize ?? plan.resize),
    shorter: data.shorter ?? plan.shorter,
    crop: sizeIn(data.crop ?? plan.crop),
    tile: sizeIn(model.tile ?? plan.tile),
    overlap: model.overlap ?? plan.overlap,
    memory: memory === undefined ? undefined : parseBytes(String(memory)),
    target: plan.target === undefined ? undefined : String(plan.target),
    scale: plan.scale,
    eot: plan.eot,
    region: plan.region,
    perturb: plan.perturb === undefined ? undefined : [plan.perturb].flat(),
    fitOn: plan["fit-on"] === undefined ? undefined : String(plan["fit-on"]),
    transferTo: plan["transfer-to"] === undefined ? undefined : [plan["transfer-to"]].flat(),
    corruption,
  };
  return {
    ...usualSettings,
    ...(Object.fromEntries(Object.entries(said).filter(([, v]) => v !== undefined)) as Partial<RunSettings>),
    data: data.path,
    mismatch: model.mismatch ?? plan.mismatch ?? usualSettings.mismatch,
    batch: model.batch ?? plan.batch ?? usualSettings.batch,
    reference: plan.reference,
    save: plan.save,
    seed,
    threads: plan.threads,
    provider: plan.provider,
    optimization: plan.optimization,
  };
}

/** Attacks on the images as they are, then what is done to corrupted ones. */
async function treatmentsOf(
  plan: SweepPlan,
  plugins: Plugins,
  at: Places,
  problems: Problems,
  notes: Set<string>,
): Promise<Treatment[]> {
  const attacks = (plan.attacks ?? []).flatMap((entry) => problems.tried(() => attacksOf(entry, plugins), []));
  for (const { attack } of attacks) for (const remark of budgetRemarks(attack)) notes.add(remark);
  if (!plan.corruptions) return attacks;
  const { kinds, severities, under, frost } = plan.corruptions;
  const named = [kinds].flat().flatMap((kind): readonly string[] => {
    if (kind === "common") return [...commonCorruptions];
    return kind === "all" ? Object.keys(allCorruptions) : [kind];
  });
  const chosen = new Set(named.map((kind) => withoutPictures(kind, frost, notes)));
  const texts = [...chosen].flatMap((kind) =>
    [severities].flat().map((severity) => `${kind}:${severity}${picturesFor(kind, frost)}`),
  );
  const sound: string[] = [];
  for (const text of texts) if (await problems.triedLater(() => readCorruption(text, at))) sound.push(text);
  const met =
    under === "every attack" && attacks.length > 0 ? attacks : [{ attack: attackOfName(noAttack.name, plugins), label: "" }];
  return [...attacks, ...sound.flatMap((corruption) => met.map((attack) => ({ ...attack, corruption })))];
}

/** Where a corruption needs photographs and there are none, the one that computes them; and that is said. */
function withoutPictures(kind: string, pictures: string | undefined, notes: Set<string>): string {
  if (pictures !== undefined || !allCorruptions[kind]?.overlays) return kind;
  notes.add(
    `procedural_${kind} takes the place of ${kind}, which needs photographs (corruptions: { ${kind}: FOLDER }); its number is not ImageNet-C's`,
  );
  return `procedural_${kind}`;
}

const picturesFor = (kind: string, pictures: string | undefined): string =>
  pictures !== undefined && allCorruptions[kind]?.overlays ? `,pictures=${pictures}` : "";

const attackOfName = (name: string, { attacks }: Plugins): Attack => attackTyped(name, {}, attacks);

/** Every combination of an entry's lists. @throws UsageError, AttackError */
function attacksOf(entry: NonNullable<SweepPlan["attacks"]>[number], { attacks }: Plugins): Planned[] {
  const { attack: given, ...parameters } = typeof entry === "string" ? { attack: entry } : entry;
  const names = [given].flat().map((name) => (name === "none" ? noAttack.name : name));
  for (const name of names) {
    if (Object.hasOwn(attacks, name)) continue;
    const [like] = nearest(name, Object.keys(attacks));
    throw new PlanError(
      `there is no attack "${name}"${like === undefined ? "" : ` (did you mean ${like}?)`}; faultline attack --help lists them.`,
    );
  }
  const fields = names.flatMap((name) => fieldsOf(attacks[name]!));
  const flags = Object.fromEntries(
    Object.entries(parameters).map(([flag, value]) => {
      const name = camel(flag);
      const texts = [value].flat().map(String);
      // A parameter that is a list itself has one value; of any other, each value is a cell.
      const whole = fields.some((f) => f.name === name && f.kind.kind === "list");
      return [name, whole ? texts : texts.join(",")];
    }),
  );
  const known = new Set(Object.values(attacks).flatMap((a) => fieldsOf(a).map((f) => f.name)));
  for (const name of Object.keys(flags)) {
    if (known.has(name)) continue;
    const [like] = nearest(name, [...known]);
    throw new PlanError(
      `${names.join(", ")}: no attack has a parameter "${flagOf(name).slice(2)}"${like === undefined ? "" : ` (did you mean ${flagOf(like).slice(2)}?)`}.`,
    );
  }
  return attacksTyped({ ...flags, attack: names.join(",") }, attacks).map((attack) => {
    const said = typed(attack).filter(([flag]) => Object.keys(flags).some((name) => flagOf(name) === flag));
    return { attack, label: [attack.name, ...said.flatMap(([flag, text]) => [flag.slice(2), text])].join("-") };
  });
}

/** A suite by name, or in a file beside the plan. */
const suiteIn = (name: string, at: Places): Suite => readSuite(name.endsWith(".json") ? at(name) : name);

/** What a suite does to a model. @throws SuiteError where it is for other tasks. */
function treatmentsIn(
  suite: Suite,
  { spec }: PlannedModel,
  { corruptions }: SweepPlan,
  plugins: Plugins,
  notes: Set<string>,
): Treatment[] {
  demandTask(suite, tasks[spec.task]);
  const frost = corruptions?.frost;
  const kinds = suite.corruptions?.kinds.map((kind) => withoutPictures(kind, frost, notes));
  const whole = suite.corruptions && kinds ? { ...suite, corruptions: { ...suite.corruptions, kinds } } : suite;
  return runsOf(whole, frost).map(({ name, attack, parameters, corruption }) => ({
    attack: attackTyped(attack, parameters, plugins.attacks),
    label: corruption === undefined ? (attack === noAttack.name ? noAttack.name : name) : "",
    ...(corruption !== undefined && { corruption }),
  }));
}

const nameOfData = ({ name, path }: DataEntry): string =>
  name ?? (isMade(path) ? plain(path) : plain(basename(isUrl(path) ? shownUrl(path) : resolve(path))));

function nameOf(model: ModelEntry, data: DataEntry, { label, corruption }: Treatment, seed: number | undefined): string {
  const parts = [
    model.name ?? nameOfModel(isUrl(model.path) ? shownUrl(model.path) : model.path),
    nameOfData(data),
    ...(label === "" ? [] : [label]),
    ...(corruption === undefined ? [] : [corruption.split(",")[0]!]),
    ...(seed === undefined ? [] : [`seed-${seed}`]),
  ];
  return plain(parts.join("-")).slice(0, 180);
}

const plain = (text: string): string => text.replaceAll(/[^\w.+-]+/g, "-").replace(/^[^\w]+/, "");

/** stepSize, from step-size. */
const camel = (flag: string): string => flag.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What is found wrong, all of it before anything runs. */
class Problems {
  readonly #found = new Map<string, string[]>();

  get none(): boolean {
    return this.#found.size === 0;
  }

  add(sentence: string, cell?: string): void {
    this.#found.set(sentence, [...(this.#found.get(sentence) ?? []), ...(cell === undefined ? [] : [cell])]);
  }

  tried<T>(make: () => T, otherwise: T): T {
    try {
      return make();
    } catch (error) {
      this.add(sentenceOf(error));
      return otherwise;
    }
  }

  async triedLater<T>(make: () => Promise<T>, cell?: string): Promise<T | undefined> {
    try {
      return await make();
    } catch (error) {
      this.add(sentenceOf(error), cell);
      return undefined;
    }
  }

  sentences(): string[] {
    return [...this.#found].map(([sentence, cells]) => {
      if (cells.length === 0) return sentence;
      const more = cells.length > 1 ? ` and ${cells.length - 1} more` : "";
      return `${sentence.replace(/\.$/, "")} (${cells[0]}${more}).`;
    });
  }
}

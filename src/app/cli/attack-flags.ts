import { type Command, InvalidArgumentError, Option } from "commander";
import { nearest } from "../../engine/onnx/nearest.js";
import { type Attack, type AttackDefinition, attackOf, type Parameters } from "../../methods/attacks/definition.js";
import { flagOf } from "../attack/flag-of.js";
import { type Field, fieldsOf, readField, textOf, usageOf } from "../attack/parameters.js";
import { loadPlugins, PluginError, type Plugins } from "../plugins/plugins.js";
import { commaWords, pointsMeant } from "./comma.js";
import { UsageError } from "./errors.js";
import { valuesOf } from "./late-flags.js";

// The flags of the attacks' parameters, from their schemas.

type Attacks = Plugins["attacks"];

/** A parameter with the attacks that have it, each in its own way. */
interface Shared {
  readonly name: string;
  readonly by: readonly { readonly attack: AttackDefinition; readonly field: Field }[];
}

/** Adds a flag for every parameter that some attack has, and the attacks' names to --attack. */
export async function addAttackFlags(command: Command, args: readonly string[]): Promise<void> {
  const { attacks } = await loadPlugins(valuesOf("--plugin", args));
  const [which] = command.options.filter((o) => o.long === "--attack");
  const known = Object.keys(attacks);
  which?.argParser((text: string) => {
    const unknown = text.split(",").find((name) => !known.includes(name));
    if (unknown !== undefined) {
      const [like] = nearest(unknown, known);
      const hint = like === undefined ? "" : ` (did you mean ${like}?)`;
      throw new InvalidArgumentError(`there is no attack "${unknown}"${hint}; there are ${known.join(", ")}.`);
    }
    return text;
  });
  const all = parametersOf(attacks);
  const asked = args.some((arg) => arg === "--help" || arg === "-h") ? namedIn(args, known) : [];
  for (const shared of all) {
    const [{ attack, field }] = shared.by as [Shared["by"][number]];
    if (command.options.some((o) => o.long === flagOf(shared.name)))
      throw new PluginError(
        `${attack.name} has a parameter "${shared.name}", but ${flagOf(shared.name)} is a flag of faultline ${command.name()}; name it otherwise.`,
      );
    const own = shared.by.filter(({ attack }) => asked.length === 0 || asked.includes(attack.name));
    const text = textsOf(own.length > 0 ? { ...shared, by: own } : shared, asked.length > 0 ? asked : known);
    const option = new Option(usageOf(field), helpOf(text)).helpGroup(
      asked.length > 0 ? `Parameters of ${asked.join(", ")}:` : "Parameters of the attack (--attack NAME --help: its own alone):",
    );
    command.addOption(own.length > 0 ? option : option.hideHelp());
  }
  const longest = Math.max(...Object.keys(attacks).map((name) => name.length));
  const lines = Object.values(attacks).map(({ name, summary }) => `  ${name.padEnd(longest)}  ${summary}`);
  command.addHelpText("after", `\nAttacks:\n${lines.join("\n")}`);
  // Help shows them after the flags that say which attack it is.
  const options = command.options as Option[];
  const added = options.splice(options.length - all.length);
  options.splice(options.findIndex((o) => o.long === "--plugin") + 1, 0, ...added);
}

/** The attacks that --attack names. */
const namedIn = (args: readonly string[], known: readonly string[]): string[] =>
  valuesOf("--attack", args)
    .flatMap((text) => text.split(","))
    .filter((name) => known.includes(name));

function parametersOf(attacks: Attacks): readonly Shared[] {
  const found = new Map<string, Shared["by"][number][]>();
  // In the order of the attack that has most.
  const fullest = Object.values(attacks).sort((a, b) => fieldsOf(b).length - fieldsOf(a).length);
  for (const attack of fullest) for (const { name } of fieldsOf(attack)) found.set(name, []);
  for (const attack of Object.values(attacks))
    for (const field of fieldsOf(attack)) found.get(field.name)!.push({ attack, field });
  return [...found].map(([name, by]) => ({ name, by }));
}

/** A flag as help and the docs show it. */
export interface FlagText {
  /** `--step-size <length>` */
  readonly usage: string;
  readonly description: string;
  /** "20; my-attack: 100" */
  readonly default?: string;
  /** "bim, pgd" or "not fgsm"; absent where every attack has it. */
  readonly attacks?: string;
}

/** All parameters of these attacks as flags. */
export const flagTexts = (attacks: Attacks): readonly FlagText[] =>
  parametersOf(attacks).map((shared) => textsOf(shared, Object.keys(attacks)));

function textsOf({ by }: Shared, all: readonly string[]): FlagText {
  const [{ field }] = by as [Shared["by"][number]];
  const { description = "" } = field.notes;
  const choosable = new Set(by.flatMap((own) => (own.field.kind.kind === "choice" ? own.field.kind.of : [])));
  // Left out where the description explains each of them.
  const named = [...choosable].every((choice) => description.includes(choice));
  const choices = named ? "" : `: ${[...choosable].join(", ")}`;
  const [defaults, owners] = [defaultsOf(by), ownersOf(by, all)];
  return {
    usage: usageOf(field),
    description: `${description}${choices}`,
    ...(defaults && { default: defaults }),
    ...(owners && { attacks: owners }),
  };
}

const helpOf = (text: FlagText): string =>
  [text.description, text.default && `(default: ${text.default})`, text.attacks && `[${text.attacks}]`].filter(Boolean).join(" ");

/** 20; my-attack, other-attack: 100 */
function defaultsOf(by: Shared["by"]): string {
  const [first, ...others] = by.map(({ attack, field }) => ({ attack: attack.name, text: defaultOf(field) }));
  const owners = new Map<string, string[]>();
  for (const { attack, text = "none" } of others.filter(({ text }) => text !== first!.text))
    owners.set(text, [...(owners.get(text) ?? []), attack]);
  const different = [...owners].map(([text, names]) => `${names.join(", ")}: ${text}`);
  return [...(first!.text === undefined ? [] : [first!.text]), ...different].join("; ");
}

const defaultOf = (field: Field): string | undefined =>
  field.notes.usual ?? (field.initial === undefined ? undefined : textOf(field, field.initial));

function ownersOf(by: Shared["by"], all: readonly string[]): string {
  const owners = by.map(({ attack }) => attack.name);
  const others = all.filter((name) => !owners.includes(name));
  if (others.length === 0) return "";
  return others.length < owners.length ? `not ${others.join(", ")}` : owners.join(", ");
}

/**
 * The attack that was asked for, with the parameters that were typed.
 *
 * @param flags what commander read: texts, by the parameters' names.
 * @throws UsageError for a parameter that the attack does not have, or a value that it does not take; AttackError for values that do not go together.
 */
export function attackTyped(name: string, flags: object, attacks: Attacks): Attack {
  const definition = attacks[name];
  if (!definition) throw new UsageError(`--attack ${name}: name one attack here; faultline attack takes several.`);
  const own = new Map(fieldsOf(definition).map((field) => [field.name, field]));
  const parameters: Record<string, unknown> = {};
  for (const shared of parametersOf(attacks)) {
    const text = (flags as Parameters)[shared.name] as string | readonly string[] | undefined;
    if (text === undefined) continue;
    const field = own.get(shared.name);
    const flag = flagOf(shared.name);
    if (!field)
      throw new UsageError(
        `${flag}: ${name} has no such parameter; ${listed(shared.by.map(({ attack }) => attack.name))}. Leave it out, or take one of these.`,
      );
    const read = readField(field, text);
    if ("problem" in read) throw new UsageError(`${flag} ${[text].flat().join(" ")}: ${read.problem}.`);
    parameters[shared.name] = read.value;
  }
  return attackOf(definition, parameters);
}

/**
 * The attacks that were asked for where --attack or a parameter lists several values: every combination. A parameter that only some of the named
 * attacks have is left out for the others.
 *
 * @throws UsageError, AttackError as `attackTyped`.
 */
export function attacksTyped(flags: { readonly attack: string }, attacks: Attacks): Attack[] {
  const names = flags.attack.split(",");
  if (names.length === 1 && !Object.values(flags).some((v) => typeof v === "string" && isList(v)))
    return [attackTyped(names[0]!, flags, attacks)];
  const made = new Map<string, Attack>();
  for (const name of names) {
    const own = new Set(fieldsOf(attacks[name]!).map((f) => f.name));
    let settings: Record<string, unknown>[] = [{}];
    for (const { name: parameter, by } of parametersOf(attacks)) {
      const text = (flags as Parameters)[parameter];
      const meant = own.has(parameter) || !by.some(({ attack }) => names.includes(attack.name));
      if (text === undefined || !meant) continue;
      if (typeof text === "string") refuseCommaDecimal(flagOf(parameter), text, by[0]!.field);
      const values = typeof text === "string" ? text.split(",") : [text];
      settings = settings.flatMap((s) => values.map((value) => ({ ...s, [parameter]: value })));
    }
    for (const s of settings) {
      const attack = attackTyped(name, s, attacks);
      made.set(JSON.stringify([name, attack.parameters]), attack);
    }
  }
  return [...made.values()];
}

/**
 * What was understood of flags that list several values, one line for each flag: a decimal comma is a list to whoever reads it.
 *
 * @example listsTyped({ attack: "pgd", epsilon: "1,5" }, attacks) // ["--epsilon 1,5: 2 values, 1 and 5 (one number would be 1.5)"]
 */
export function listsTyped(flags: { readonly attack: string }, attacks: Attacks): string[] {
  const lists = [
    ["--attack", flags.attack] as const,
    ...parametersOf(attacks).map(({ name }) => [flagOf(name), (flags as Parameters)[name]] as const),
  ].filter((pair): pair is readonly [string, string] => typeof pair[1] === "string" && isList(pair[1]));
  return lists.map(([flag, text]) => {
    const values = text.split(",");
    const decimal = /^-?\d+,\d+$/.test(text) ? ` (one number would be ${text.replace(",", ".")})` : "";
    return `${flag} ${text}: ${values.length} values, ${values.slice(0, -1).join(", ")} and ${values.at(-1)}${decimal}`;
  });
}

/** @throws UsageError where a list of numbers is one number with a comma for its point. */
function refuseCommaDecimal(flag: string, text: string, { kind }: Field): void {
  const meant = kind.kind === "number" ? pointsMeant(text) : undefined;
  if (meant !== undefined) throw new UsageError(`${flag} ${text}: ${commaWords(text, meant)}.`);
}

const isList = (text: string): boolean => /^[^,]+(,[^,]+)+$/.test(text);

const listed = (names: readonly string[]): string =>
  names.length === 1 ? `${names[0]} has it` : `${names.slice(0, -1).join(", ")} and ${names.at(-1)} have it`;

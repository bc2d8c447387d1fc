import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as builders from "../src/engine/operators/index.js";

/** A function that adds an operator to a graph, as its source declares it. */
export interface Signature {
  readonly name: string;
  /** `conv(x: Value, w: Value, options?: ConvOptions): Value` */
  readonly text: string;
  /** ONNX names of the operators that its file defines; none where it is made of others. */
  readonly operators: readonly string[];
}

const folder = fileURLToPath(new URL("../src/engine/operators/", import.meta.url));

const sources = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? sources(`${path}${entry.name}/`)
      : /(?<!\.test|cases|index)\.ts$/.test(entry.name)
        ? [`${path}${entry.name}`]
        : [],
  );

/** The public builders of a family's folder, in the order of their names. */
export function signaturesOf(family: string): Signature[] {
  return sources(`${folder}${family}/`)
    .flatMap((path) => {
      const text = readFileSync(path, "utf8");
      const operators = [...text.matchAll(/^ {2}name: "(\w+)",$/gm)].map(([, name]) => name!);
      return [...text.matchAll(/^export (?:const (\w+) = |function (\w+))(?=\()/gm)].flatMap((found) => {
        const name = (found[1] ?? found[2])!;
        return name in builders
          ? [{ name, operators, text: `${name}${declared(text.slice(found.index + found[0].length))}` }]
          : [];
      });
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The options that signatures name, as one line each, with those that these name in turn. */
export function optionsOf(signatures: readonly Signature[]): string[] {
  const texts = sources(folder).map((path) => readFileSync(path, "utf8"));
  const known = new Map<string, string>();
  const visit = (text: string): void => {
    for (const [name] of text.matchAll(/\b[A-Z]\w+\b/g)) {
      if (known.has(name)) continue;
      const declaration = texts.flatMap((t) => typeDeclaration(t, name) ?? [])[0];
      if (declaration === undefined) continue;
      known.set(name, declaration);
      visit(declaration.slice(declaration.indexOf(name) + name.length));
    }
  };
  for (const { text } of signatures) visit(text);
  return [...known.values()];
}

/** `(…): Value` at the beginning of the text, its whitespace and destructuring taken away. */
function declared(text: string): string {
  const end = closing(text, 0);
  const behind = text.slice(end + 1).replace(/^\s*:\s*/, "");
  const result = behind.startsWith("{") ? behind.slice(0, closing(behind, 0) + 1) : /^[^={]+?(?=\s*(?:=>|\{))/.exec(behind)?.[0];
  const parameters = split(text.slice(1, end)).map((parameter) =>
    parameter.replace(/^\{[^}]*\}(?=\s*:)/, "options").replace(/^(\w+)\s*:\s*(.*?)\s*=\s*\{\}$/, "$1?: $2"),
  );
  return `(${parameters.join(", ")}): ${result?.replace(/\s+/g, " ")}`;
}

/** Index of the parenthesis that closes the one at `start`. */
function closing(text: string, start: number): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if ("([{".includes(text[i]!)) depth++;
    if (")]}".includes(text[i]!) && --depth === 0) return i;
  }
  throw new Error("a parenthesis is not closed");
}

/** Parts between the commas of the outermost level. */
function split(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const c of text.replace(/\s+/g, " ")) {
    if ("([{<".includes(c)) depth++;
    if (")]}>".includes(c)) depth--;
    if (c === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += c;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** `interface X { a?: number; b: Value }`, without comments and `readonly`. */
function typeDeclaration(text: string, name: string): string | undefined {
  const alias = new RegExp(`^export type ${name} =\\s*([^;]+);`, "m").exec(text)?.[1];
  if (alias !== undefined) return `type ${name} = ${alias.replace(/\s+/g, " ").replace(/^\| /, "")}`;
  const found = new RegExp(`^(?:export )?interface ${name}( extends [^{]+?)? \\{\\n([\\s\\S]*?)^\\}`, "m").exec(text);
  if (!found) return undefined;
  const fields = found[2]!
    .replace(/\/\*\*[\s\S]*?\*\//g, "")
    .split(";")
    .map((field) =>
      field
        .replace(/\s+/g, " ")
        .replace(/readonly (?=\w+\??:)/, "")
        .trim(),
    )
    .filter((field) => field !== "");
  return `interface ${name}${found[1] ?? ""} { ${fields.join("; ")} }`;
}

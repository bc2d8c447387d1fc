import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix } from "node:path";

/** Everything below a wing may be imported by it. */
const wings = ["engine", "vision", "methods", "app"];
/** Methods that may build on another. */
const mayUse: Readonly<Record<string, readonly string[]>> = { training: ["attacks"] };
const browserEntries = ["src/index.web.ts", "src/engine/runtime/web-worker.ts"];
const nodePackages = ["onnxruntime-node", "sharp", "commander", "cli-progress", "tsx"];

interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path of the imported file from the root, or undefined for a package. */
  readonly path: string | undefined;
  readonly typeOnly: boolean;
}

type Files = ReadonlyMap<string, readonly Import[]>;

/** The broken rules of the project in `root`, one sentence for each. */
export function violations(root: string): string[] {
  const files: Files = new Map(
    ["src", "studio"].flatMap((folder) => sources(root, folder)).map((path) => [path, importsOf(root, path)] as const),
  );
  const found: string[] = [];
  for (const [path, imports] of files) {
    for (const { specifier, path: target } of imports) {
      const reason = target && forbidden(path, target);
      if (reason) found.push(`${path} imports ${specifier}: ${reason}.`);
    }
  }
  return [...found, ...nodeInBrowser(files)];
}

function forbidden(from: string, to: string): string | undefined {
  const [source, target] = [place(from), place(to)];
  if (from.startsWith("studio/") && target.wing === "app") return "the studio never imports app";
  if (source.wing && target.wing && wings.indexOf(target.wing) > wings.indexOf(source.wing)) {
    return `${source.wing} must not know ${target.wing} (imports point from app to methods to vision to engine)`;
  }
  if (source.method && target.method && source.method !== target.method && !mayUse[source.method]?.includes(target.method)) {
    return `method ${source.method} must not know method ${target.method}; move what they share to src/vision or src/engine`;
  }
  if (isOperator(from) && to.startsWith("src/engine/operators/") && to.endsWith("/index.ts")) {
    return "an operator imports other operators from their own files, never from an index (import cycles)";
  }
  return undefined;
}

function place(path: string): { wing?: string; method?: string } {
  const [top, wing, method, ...rest] = path.split("/");
  if (top !== "src" || !wing || !wings.includes(wing)) return {};
  return { wing, ...(wing === "methods" && method && rest.length > 0 && { method }) };
}

const isOperator = (path: string) =>
  /^src\/engine\/operators\/[^/]+\/[^/]+\.ts$/.test(path) && !/\/(index|cases|[^/]+\.test)\.ts$/.test(path);

/** Follows the imports that survive compilation from the browser's entries, each file reported with the way that led there. */
function nodeInBrowser(files: Files): string[] {
  const found: string[] = [];
  const way = new Map<string, string>();
  const entries = [...files.keys()].filter(
    (path) => browserEntries.includes(path) || (path.startsWith("studio/") && !/\.test\.|\.config\./.test(path)),
  );
  const visit = (path: string, reached: string) => {
    if (way.has(path)) return;
    way.set(path, reached);
    for (const { specifier, path: target, typeOnly } of files.get(path) ?? []) {
      if (typeOnly) continue;
      if (needsNode(specifier)) found.push(`${reached} imports ${specifier}: the browser has no such module.`);
      if (target) visit(target, `${reached} -> ${target}`);
    }
  };
  for (const entry of entries) visit(entry, entry);
  return found;
}

function needsNode(specifier: string): boolean {
  const name = specifier.split("/")[0]!;
  return specifier.startsWith("node:") || builtinModules.includes(name) || nodePackages.includes(name);
}

function sources(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.name !== "node_modules" && entry.name !== "dist")
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return sources(root, path);
      return /\.tsx?$/.test(entry.name) ? [path] : [];
    });
}

// Statements start at the line's beginning in formatted code, examples in comments do not.
const statement = /^(?:import|export)\s+(?<type>type\s+)?(?:[\w*{][^"';]*?\sfrom\s+)?"(?<specifier>[^"]+)"/gm;
const dynamic = /\bimport\("(?<specifier>[^"]+)"\)|new URL\("(?<address>\.[^"]+)", import\.meta\.url\)/;

function importsOf(root: string, path: string): Import[] {
  const text = readFileSync(join(root, path), "utf8");
  const found = [...text.matchAll(statement)].map(({ groups }) => ({
    specifier: groups!.specifier!,
    typeOnly: groups!.type !== undefined,
  }));
  for (const line of text.split("\n")) {
    if (/^\s*(\/\/|\/?\*)/.test(line)) continue;
    const groups = dynamic.exec(line)?.groups;
    if (groups) found.push({ specifier: (groups.specifier ?? groups.address)!, typeOnly: false });
  }
  return found.map((i) => ({ ...i, path: i.specifier.startsWith(".") ? resolve(root, path, i.specifier) : undefined }));
}

function resolve(root: string, from: string, specifier: string): string {
  const path = posix.join(dirname(from), specifier);
  const candidates = [
    path.replace(/\.js$/, ".ts"),
    path.replace(/\.jsx?$/, ".tsx"),
    `${path}.ts`,
    `${path}.tsx`,
    `${path}/index.ts`,
  ];
  return candidates.find((c) => existsSync(join(root, c))) ?? path;
}

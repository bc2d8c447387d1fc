import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix } from "node:path";

/** Everything below a wing may be imported by it. */
const wings = ["engine", "vision", "methods", "app"];
/** Methods that may build on another. */
const mayUse: Readonly<Record<string, readonly string[]>> = { training: ["attacks"] };
const browserEntries = ["src/index.web.ts", "src/engine/runtime/web-worker.ts"];
/** What `faultline --help` loads (all that can be typed, and nothing of what it does), and what `faultline attack --help` loads beside it. */
const helpEntries = [
  { entry: "src/app/cli/main.ts", packages: ["commander"] },
  { entry: "src/app/cli/attack-flags.ts", packages: ["commander", "zod"] },
];
/** Of the engine, what stands alone. */
const lightEngine = /^src\/engine\/(tensor\/|onnx\/nearest\.ts$|from-source\.ts$)/;
const nodePackages = ["onnxruntime-node", "sharp", "commander", "cli-progress", "tsx"];

interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path of the imported file from the root, or undefined for a package. */
  readonly path: string | undefined;
  readonly typeOnly: boolean;
  /** At once, or where the program comes to it. */
  readonly when: "start" | "later";
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
  return [
    ...found,
    ...nodeInBrowser(files),
    ...heavyInHelp(files),
    ...asksForTask(root, [...files.keys()]),
    ...asksForAttack(root, [...files.keys()]),
  ];
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

/** What a browser's entry reaches. */
function nodeInBrowser(files: Files): string[] {
  const entries = [...files.keys()].filter(
    (path) => browserEntries.includes(path) || (path.startsWith("studio/") && !/\.test\.|\.config\./.test(path)),
  );
  return reached(files, entries, (i) => !i.typeOnly)
    .filter(({ specifier }) => needsNode(specifier))
    .map(({ way, specifier }) => `${way} imports ${specifier}: the browser has no such module.`);
}

const catalogue = /^src\/methods\/attacks\/catalogue\/[^/]+\.ts$/;

/** What is true of an attack stands on its definition, and a plugin's attack has a name that nobody knows here. */
function asksForAttack(root: string, paths: readonly string[]): string[] {
  const names = paths
    .filter((path) => catalogue.test(path))
    .flatMap((path) => /^ {2}name: "([^"]+)"/m.exec(readFileSync(join(root, path), "utf8"))?.[1] ?? []);
  if (names.length === 0) return [];
  const asks = new RegExp(`(?:[=!]==\\s*|\\bcase\\s+|includes\\(\\s*)"(${names.join("|")})"`);
  return paths
    .filter((path) => path.startsWith("src/") && !catalogue.test(path) && !/\/testing\/|\.test\.ts$/.test(path))
    .flatMap((path) =>
      readFileSync(join(root, path), "utf8")
        .split("\n")
        .flatMap((line, i) => {
          const name = /^\s*(\/\/|\/?\*)/.test(line) ? undefined : asks.exec(line)?.[1];
          return name
            ? [
                `${path}:${i + 1} asks for the attack "${name}" by its name; let its definition in src/methods/attacks/catalogue say it.`,
              ]
            : [];
        }),
    );
}

/** What the command line loads before it knows what is asked of it. */
function heavyInHelp(files: Files): string[] {
  return helpEntries.flatMap(({ entry, packages }) => {
    const heavy = ({ specifier, path }: Import) =>
      path
        ? path.startsWith("src/engine/") && !lightEngine.test(path)
        : !specifier.startsWith("node:") && !packages.includes(specifier);
    return reached(files, [entry], (i) => !i.typeOnly && i.when === "start")
      .filter(heavy)
      .map(({ way, specifier }) => `${way} imports ${specifier}: help waits for it; load it where it is used, with import().`);
  });
}

const taskList = "src/vision/tasks/names.ts";
/** Where tasks are defined, and what serves some tasks alone and says which: layouts of data sets, families of networks, street scenes. */
const namesTasks =
  /^src\/vision\/(?:tasks\/|data\/node\/|data\/formats\/|data\/synthetic\/street\.ts$|nn\/networks\/|metrics\/)|^src\/app\/networks\/configuration\.ts$|\/testing\/|\.test\.ts$/;

/** What is true of a task stands on its definition; code that asks for a task by its name would have to be found again for the next one. */
function asksForTask(root: string, paths: readonly string[]): string[] {
  if (!existsSync(join(root, taskList))) return [];
  const list = /taskNames = \[(?<names>[^\]]*)\]/.exec(readFileSync(join(root, taskList), "utf8"))?.groups?.names ?? "";
  const literal = new RegExp(`(${[...list.matchAll(/"([^"]+)"/g)].map(([quoted]) => quoted).join("|")})`);
  return paths
    .filter((path) => /^src\/(?:app|methods|vision)\//.test(path) && !namesTasks.test(path))
    .flatMap((path) => {
      const lines = readFileSync(join(root, path), "utf8").split("\n");
      return lines.flatMap((line, i) => {
        // Comments, and examples in help texts and messages, name what they like.
        if (/^\s*(\/\/|\/?\*)/.test(line) || /\{ "task": "|`[^`]*\{ task: "/.test(line)) return [];
        if (/(?:Record|Map)<(?:Partial<)?TaskName\b/.test(line))
          return [`${path}:${i + 1} keeps a table of tasks; let their definitions in src/vision/tasks say it.`];
        const name = literal.exec(line)?.[1];
        return name
          ? [`${path}:${i + 1} asks for the task ${name} by its name; let its definition in src/vision/tasks say it.`]
          : [];
      });
    });
}

/** Follows the chosen imports from the entries; each import with the way that led to its file. */
function reached(
  files: Files,
  entries: readonly string[],
  follow: (i: Import) => boolean,
): (Import & { readonly way: string })[] {
  const found: (Import & { readonly way: string })[] = [];
  const seen = new Set<string>();
  const visit = (path: string, way: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const i of files.get(path) ?? []) {
      if (!follow(i)) continue;
      found.push({ ...i, way });
      if (i.path) visit(i.path, `${way} -> ${i.path}`);
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
    when: "start" as Import["when"],
  }));
  for (const line of text.split("\n")) {
    if (/^\s*(\/\/|\/?\*)/.test(line)) continue;
    const groups = dynamic.exec(line)?.groups;
    if (groups) found.push({ specifier: (groups.specifier ?? groups.address)!, typeOnly: false, when: "later" });
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

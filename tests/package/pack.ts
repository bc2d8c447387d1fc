import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inject } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
}

/**
 * The package as `npm run pack` makes it, in a copy of the checkout, so that nothing built lies there before or is left behind. It is made once for all
 * test files of a run: the first that asks makes it, others wait.
 */
export function pack(): string {
  const folder = inject("packFolder");
  const [copy, done] = [join(folder, "checkout"), join(folder, "done")];
  try {
    mkdirSync(copy);
  } catch {
    for (let waited = 0; !existsSync(done) && waited < 300; waited++)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    return readFileSync(done, "utf8");
  }
  for (const name of [
    "src",
    "bin",
    "tools",
    "package.json",
    "tsconfig.json",
    "tsconfig.build.json",
    ".npmrc",
    "README.md",
    "LICENSE",
  ])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  execFileSync("npm", ["run", "pack", "--silent"], { cwd: copy, stdio: ["ignore", "ignore", "inherit"] });
  const tarball = join(copy, `faultline-${manifest().version}.tgz`);
  writeFileSync(`${done}.part`, tarball);
  renameSync(`${done}.part`, done);
  return tarball;
}

export const manifest = (): Manifest => JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;

/** A folder outside the checkout in which somebody works with the package. */
export class Workplace {
  readonly path = mkdtempSync(join(tmpdir(), "faultline-workplace-"));

  constructor() {
    this.write("package.json", JSON.stringify({ name: "workplace", private: true, type: "module" }));
  }

  /**
   * Installs the tarball without a registry: unpacked, with the checkout's own copies of what package.json declares, and of nothing else: what the
   * package uses without declaring it is missing here.
   */
  install(tarball: string): void {
    const home = join(this.path, "node_modules", "faultline");
    mkdirSync(home, { recursive: true });
    execFileSync("tar", ["xzf", tarball, "-C", home, "--strip-components=1"]);
    for (const name of Object.keys(manifest().dependencies)) this.link(name);
    mkdirSync(join(this.path, "node_modules", ".bin"));
    symlinkSync("../faultline/bin/faultline.js", join(this.path, "node_modules", ".bin", "faultline"));
  }

  /** Makes a package of the checkout available. */
  link(name: string): void {
    const place = join(this.path, "node_modules", name);
    if (existsSync(place)) return;
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(root, "node_modules", name), place);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.path, name)), { recursive: true });
    writeFileSync(join(this.path, name), text);
  }

  /** Runs a program of Node's here; what it printed and its exit code. */
  node(...args: readonly string[]): { readonly code: number; readonly out: string; readonly err: string } {
    return this.run(process.execPath, ...args);
  }

  run(command: string, ...args: readonly string[]): { readonly code: number; readonly out: string; readonly err: string } {
    try {
      const out = execFileSync(command, args, {
        cwd: this.path,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        env: environment(),
      });
      return { code: 0, out, err: "" };
    } catch (error) {
      const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
      return { code: status ?? -1, out: stdout ?? "", err: stderr ?? String(error) };
    }
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** What npm and vitest set for their own children would change what a program does. */
const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|NODE_OPTIONS)/.test(name)));

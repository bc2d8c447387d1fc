import { existsSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a lock. */
export interface Holder {
  readonly pid?: number;
  readonly host?: string;
}

/**
 * Takes a lock, which is a file that one process at a time can make. One that a process of this machine left behind when it was killed is taken over.
 *
 * @returns who has it, where it is another process.
 */
export function takeLock(file: string): Holder | undefined {
  const own = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, own, { flag: "wx" });
      return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const holder = read(file);
      if (holder && (attempt > 0 || holder.host !== hostname() || alive(holder.pid))) return holder;
      if (holder) unlinkSync(file);
    }
  }
}

export function releaseLock(file: string): void {
  if (existsSync(file)) unlinkSync(file);
}

/** Undefined where the lock has been released meanwhile. */
function read(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8") || "{}") as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function alive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

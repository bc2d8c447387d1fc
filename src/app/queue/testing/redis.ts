import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** Whether this machine has a Redis server; tests that need one are skipped without, and say so. */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** Kills the server, which forgets everything, and starts it again on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A Redis server of its own, which keeps nothing on disk. */
export async function startRedis(...settings: readonly string[]): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "faultline-redis-"));
  const port = await freePort();
  let server: ChildProcess;
  const start = async () => {
    server = spawn("redis-server", ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder, ...settings]);
    for (let i = 0; !(await answers(port)); i++) {
      if (i > 200) throw new Error("redis-server does not start");
      await setTimeout(25);
    }
  };
  const kill = async () => {
    const gone = once(server, "exit");
    server.kill("SIGKILL");
    await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    restart: async () => {
      await kill();
      await start();
    },
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

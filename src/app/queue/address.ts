import { UsageError } from "../cli/errors.js";

/** Where a Redis server is, and what it wants to hear. */
export interface QueueAddress {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly transport: "plain" | "tls";
  readonly username?: string;
  readonly password?: string;
  /** The address without user and password, for sentences. */
  readonly shown: string;
}

/**
 * Reads the address of a queue: the flag, or the variable FAULTLINE_QUEUE. The password comes from FAULTLINE_REDIS_PASSWORD, or from the URL in FAULTLINE_QUEUE;
 * on a command line it would stand in the list of processes for everyone on the machine, so there it is refused.
 *
 * @example queueAddress("redis://127.0.0.1:6379", process.env)
 * @throws UsageError in one sentence, which never repeats a password.
 */
export function queueAddress(typed: string | undefined, environment: NodeJS.ProcessEnv): QueueAddress {
  const text = typed ?? environment.FAULTLINE_QUEUE;
  const name = typed === undefined ? "FAULTLINE_QUEUE" : "--queue";
  if (!text) throw new UsageError("name the queue with --queue redis://HOST:6379, or in the variable FAULTLINE_QUEUE.");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "redis:" && url.protocol !== "rediss:") || url.hostname === "")
    throw new UsageError(
      `${name}: write redis://HOST:PORT, or rediss://HOST:PORT for TLS; another database than 0 as redis://HOST:PORT/2.`,
    );
  if (typed !== undefined && url.password !== "")
    throw new UsageError(
      "--queue: everyone on this machine can read a password on a command line; leave it out and put it in the variable FAULTLINE_REDIS_PASSWORD, or the whole URL in FAULTLINE_QUEUE.",
    );
  const database = Number(url.pathname.replace(/^\//, "") || 0);
  if (!Number.isInteger(database) || database < 0 || url.search !== "" || url.hash !== "")
    throw new UsageError(`${name}: after the port stands the number of a database, as in redis://HOST:6379/2, and nothing else.`);
  const password = environment.FAULTLINE_REDIS_PASSWORD || decodeURIComponent(url.password);
  const port = Number(url.port || 6379);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    database,
    transport: url.protocol === "rediss:" ? "tls" : "plain",
    ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
    ...(password !== "" && { password }),
    shown: `${url.protocol}//${url.hostname}:${port}${database === 0 ? "" : `/${database}`}`,
  };
}

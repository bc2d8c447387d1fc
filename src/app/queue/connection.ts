import { Redis } from "ioredis";
import type { QueueAddress } from "./address.js";

/** The queue cannot be used: one sentence. */
export class QueueError extends Error {
  override readonly name = "QueueError";
}

/** A server that answers no more is tried again so often, in milliseconds. */
const again = 1000;
/** LPOP with a number, and ZMSCORE. */
const oldest = [6, 2] as const;

/**
 * A connection that is open when this returns. Later it is opened again whenever it breaks, for as long as it takes, and commands wait for that; `say`
 * is told when it breaks and when it is back.
 *
 * @throws QueueError where the server cannot be reached now, or does not let us in.
 */
export async function connect(address: QueueAddress, say: (sentence: string) => void = () => {}): Promise<Redis> {
  let state: "new" | "open" | "broken" = "new";
  let last: Error | undefined;
  const redis = new Redis({
    host: address.host,
    port: address.port,
    db: address.database,
    ...(address.username && { username: address.username }),
    ...(address.password && { password: address.password }),
    ...(address.transport === "tls" && { tls: {} }),
    lazyConnect: true,
    connectTimeout: 5000,
    // BullMQ demands it: a command waits for the connection rather than fail.
    maxRetriesPerRequest: null,
    retryStrategy: () => (state === "new" ? null : again),
  });
  redis.on("error", (error: Error) => {
    last = error;
  });
  redis.on("reconnecting", () => {
    if (state !== "open") return;
    state = "broken";
    say(`${address.shown} does not answer; waiting for it (nothing is lost)`);
  });
  redis.on("ready", () => {
    if (state === "broken") say(`${address.shown} is back`);
    state = "open";
  });
  try {
    await redis.connect();
    const version = /redis_version:(\S+)/.exec(await redis.info("server"))?.[1] ?? "0";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major < oldest[0] || (major === oldest[0] && minor < oldest[1]))
      throw new QueueError(`${address.shown} is Redis ${version}; it takes ${oldest.join(".")} or newer.`);
  } catch (error) {
    redis.disconnect();
    throw error instanceof QueueError ? error : new QueueError(sentence(address, last ?? (error as Error)));
  }
  return redis;
}

function sentence({ shown, host }: QueueAddress, error: Error): string {
  const { message, code } = error as NodeJS.ErrnoException;
  if (/^WRONGPASS|invalid password/i.test(message))
    return `${shown} refuses the user or the password; they come from the URL in FAULTLINE_QUEUE and from FAULTLINE_REDIS_PASSWORD.`;
  if (/^NOAUTH/.test(message)) return `${shown} wants a password; put it in the variable FAULTLINE_REDIS_PASSWORD.`;
  if (/^NOPERM/.test(message)) return `${shown} does not let this user do it (${message}).`;
  if (/DB index|out of range/i.test(message)) return `${shown}: the server has no database of that number.`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return `${shown} cannot be reached: there is no machine called ${host}.`;
  if (code === "ECONNREFUSED")
    return `${shown} cannot be reached: nothing listens there; start a Redis server (redis-server), or name another one with --queue.`;
  if (/timed?\s*out/i.test(message) || code === "ETIMEDOUT")
    return `${shown} cannot be reached: it does not answer within 5 seconds.`;
  return `${shown} cannot be used: ${message}.`;
}

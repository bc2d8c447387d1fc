import { hostname } from "node:os";

/** Everything of ours in Redis begins with it. */
export const prefix = "faultline";

/** Workers of one version see the cells of that version alone: they differ in what they compute, so each has a queue of its own. */
export const queueName = (version: string): string => `cells-${version}`;

/** The set of versions that have had a queue here. */
export const versionsKey = `${prefix}:versions`;

/** Lives for as long as somebody waits for a sweep's results, and says who. */
export const sweepKey = (sweep: string): string => `${prefix}:sweep:${sweep}`;

/** The list in which workers put what they have to say of a sweep's cells. */
export const resultsKey = (sweep: string): string => `${prefix}:results:${sweep}`;

/** A sweep whose coordinator has not been seen for so long, in seconds, is forgotten, and so are its results that nobody took. */
export const forgottenAfter = 24 * 3600;

/** Messages that may wait in a list, each of at most `partSize` bytes: 64 MiB. */
export const waitingMessages = 256;
export const partSize = 256 * 1024;

/** This process, as others see it. */
export const workerName = (): string => `${hostname()}:${process.pid}`;

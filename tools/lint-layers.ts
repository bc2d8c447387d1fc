/**
 * Checks which file may import which (docs/architecture.md has the reasons):
 *
 * - imports point up the list app -> methods -> vision -> engine, and the studio never imports app;
 * - no method imports another, except that training may use attacks;
 * - an operator's file imports other operators from their own files, never from an index.ts;
 * - nothing that a browser entry reaches imports a module of Node;
 * - what the command line loads for help and version is light;
 * - no shared code asks for a task by its name: what is true of a task stands on its definition.
 *
 *     npx tsx tools/lint-layers.ts
 */
import { fileURLToPath } from "node:url";
import { violations } from "./layers.js";

const found = violations(fileURLToPath(new URL("..", import.meta.url)));
for (const sentence of found) console.error(sentence);
if (found.length > 0) process.exitCode = 1;

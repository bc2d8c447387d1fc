import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { download } from "./download.js";
import { placesOf, readRoot } from "./places.js";

const folder = mkdtempSync(join(tmpdir(), "faultline-download-"));
const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
const sha256 = createHash("sha256").update(content).digest("hex");
const asked: (string | undefined)[] = [];
let server: Server;
let address: string;

/** Serves `content`; the first answer breaks off in the middle. */
beforeAll(async () => {
  server = createServer((request, response) => {
    const { range } = request.headers;
    asked.push(range);
    if (request.url === "/none") return response.writeHead(404).end();
    if (asked.length === 1) {
      response.writeHead(200, { "content-length": content.length });
      response.write(content.subarray(0, 100_000), () => response.destroy());
      return;
    }
    const start = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    const headers = { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` };
    response.writeHead(start > 0 ? 206 : 200, start > 0 ? headers : {}).end(content.subarray(start));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${(server.address() as { port: number }).port}/models/net.onnx?token=secret`;
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const messageOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "",
    (error: Error) => error.message,
  );

it("goes on where a transfer broke off, checks the hash, and asks no second time", async () => {
  const broken = await messageOf(download(address, { sha256, folder }));
  expect(broken).toMatch(/models\/net\.onnx broke off \(.*\); what came is kept/);
  expect(broken).not.toContain("secret");
  const both = await Promise.all([download(address, { sha256, folder }), download(address, { sha256, folder })]);
  expect(both[0]).toEqual(both[1]);
  expect(readFileSync(both[0].path).equals(content)).toBe(true);
  expect(asked).toEqual([undefined, "bytes=100000-"]);
});

it("refuses another file than was asked for, and an address that gives nothing, in a sentence", async () => {
  const wrong = "0".repeat(64);
  expect(await messageOf(download(address, { sha256: wrong, folder }))).toMatch(
    new RegExp(`net\\.onnx is another file than was asked for: its SHA-256 is ${sha256}, and not 000`),
  );
  expect(await messageOf(download(address.replace(/models.*/, "none"), { folder }))).toMatch(
    /none gives nothing: the server answers 404/,
  );
  expect(await messageOf(download("http://127.0.0.1:9/net.onnx", { folder }))).toMatch(
    /127\.0\.0\.1:9\/net\.onnx cannot be reached/,
  );
});

it("remembers what an address without a hash gave", async () => {
  const own = join(folder, "own");
  const first = await download(address, { folder: own });
  expect(first.sha256).toBe(sha256);
  const before = asked.length;
  expect(await download(address, { folder: own })).toEqual(first);
  expect(asked.length).toBe(before);
});

it("finds the files of a cell by their hashes, below the roots", async () => {
  const { path } = await download(address, { sha256, folder });
  const cell = (named: string, hash = sha256) =>
    ({ plan: { model: { path: named, sha256: hash }, data: { path: "synthetic:32,length=2" }, threat: {}, goal: {} } }) as never;
  const below = (root: string) => ({ roots: [readRoot(root)], files: folder });
  const named = path.slice(folder.length + 1);
  expect(await placesOf(cell(named), below(folder))).toEqual({ [named]: path });
  expect(await placesOf(cell(`/there/${named}`), below(`/there=${folder}`))).toEqual({ [`/there/${named}`]: path });
  expect(await placesOf(cell(address), below("."))).toEqual({ [address]: path });
  expect(await messageOf(placesOf(cell("nets/a.onnx"), below(folder)))).toMatch(
    /^nets\/a\.onnx is not there \(looked for .*--root/,
  );
  expect(await messageOf(placesOf(cell(named, "0".repeat(64)), below(folder)))).toMatch(/is another file than the sweep's/);
  expect(existsSync(join(folder, "nets"))).toBe(false);
});

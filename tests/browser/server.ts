import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";

const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

export interface SiteServer {
  /** For example "http://127.0.0.1:40123/". */
  readonly address: string;
  close(): void;
}

/** Serves folders on this machine with the headers that make pages cross-origin isolated, so that WebAssembly gets its threads. */
export async function serve(folders: Readonly<Record<string, URL>>): Promise<SiteServer> {
  const server = createServer(async (request, response) => {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const [prefix, folder] = Object.entries(folders).find(([p]) => pathname.startsWith(p)) ?? [];
    const file = prefix && folder ? new URL(pathname.slice(prefix.length), folder) : undefined;
    const readable = file && (await stat(file).catch(() => undefined))?.isFile();
    if (!readable) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("Content-Type", mediaTypes[extname(file.pathname)] ?? "application/octet-stream");
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

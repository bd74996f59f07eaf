// A relay between the SDK and the cloud that writes down what passes, so that tests see
// the requests as the SDK sends them. It changes nothing but the Host header.

import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { strict as assert } from "node:assert";

/** One request and its response. */
export interface Exchange {
  method: string;
  /** As it stands in the request line, beginning with /api, with the query. */
  url: string;
  /** The url without the disable_cache that the SDK adds. */
  path: string;
  headers: Record<string, string>;
  body: string;
  status: number;
  responseHeaders: IncomingMessage["headers"];
  responseBody: string;
}

/** The relay of one test process to one cloud. */
export interface Wire {
  /** The base URL to give to the SDK. */
  site: string;
  /** All exchanges so far, in the order of their ends. */
  log: Exchange[];
  /** The exchanges that ended while work ran. */
  during(work: () => Promise<unknown>): Promise<Exchange[]>;
  close(): Promise<void>;
}

/** Begins to relay to the API at the base URL api. */
export async function openWire(api: string): Promise<Wire> {
  const to = new URL(api);
  const log: Exchange[] = [];
  const server = createServer((incoming, outgoing) => void relay(to, incoming, outgoing, log));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref(); // a test that fails has to end all the same
  return {
    site: `http://127.0.0.1:${(server.address() as AddressInfo).port}${to.pathname}`,
    log,
    async during(work) {
      const from = log.length;
      await work();
      return log.slice(from);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function relay(to: URL, incoming: IncomingMessage, outgoing: ServerResponse, log: Exchange[]): Promise<void> {
  const body = await read(incoming);
  const headers = { ...incoming.headers, host: to.host };
  const upstream = request({ host: to.hostname, port: to.port, method: incoming.method, path: incoming.url, headers, agent: false });
  upstream.on("error", () => outgoing.destroy());
  upstream.on("response", async (response) => {
    const responseBody = await read(response);
    log.push({
      method: incoming.method ?? "",
      url: incoming.url ?? "",
      path: (incoming.url ?? "").replace(/[?&]disable_cache=\d+$/, ""),
      headers: incoming.headers as Record<string, string>,
      body: body.toString(),
      status: response.statusCode ?? 0,
      responseHeaders: response.headers,
      responseBody: responseBody.toString(),
    });
    outgoing.writeHead(response.statusCode ?? 502, response.rawHeaders);
    outgoing.end(responseBody);
  });
  upstream.end(body);
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What Go's server says, before any of our code, of a path that is no path, such as "/50%". */
const badRequest = "400 Bad Request";

/**
 * Checks what the SDK needs of every response. It runs decodeURIComponent over the text,
 * and throws in the middle of its work where that fails. And it tells an app the status
 * that belongs to an error code by a table of its own.
 */
export function checkResponses(log: Exchange[], { KiiErrorParser }: Sdk): void {
  for (const { method, path, status, responseBody } of log) {
    const what = `${method} ${path}: ${status} ${responseBody}`;
    assert.ok(!responseBody.includes("%"), `a raw % in the response: ${what}`);
    if (responseBody === "" || responseBody === badRequest) continue;
    const { errorCode } = JSON.parse(responseBody);
    if (errorCode === undefined) continue;
    assert.ok(status >= 400, `an error code with a success: ${what}`);
    const known = KiiErrorParser.parse(`${errorCode}: x`)?.status ?? -2;
    if (known > 0) assert.equal(status, known, `the SDK knows this code with status ${known}: ${what}`);
  }
}

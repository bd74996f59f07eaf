// The Go program that the tests run and crash, served over HTTP.

import { readFileSync } from "node:fs";
import { createServer, type Response } from "node:http";

// Relative to the bundle.
export const wasm = readFileSync(new URL("crasher.wasm", import.meta.url));

/** Answers every request with answer until t ends; gives the base URL. */
export async function serve(t: { after(end: () => unknown): void }, answer: (path: string, response: Response) => void): Promise<string> {
  const server = createServer((request, response) => answer(request.url, response));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Keeps what goes to console.error until t ends. */
export function quiet(t: { after(end: () => unknown): void }): string[] {
  const { error } = console;
  const lines: string[] = [];
  console.error = (...args: unknown[]) => void lines.push(args.join(" "));
  t.after(() => (console.error = error));
  return lines;
}

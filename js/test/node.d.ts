// The few parts of Node.js that the tests use, declared here so that TypeScript stays the
// only package.

declare module "node:test" {
  export function test(name: string, body: (t: TestContext) => unknown): Promise<void>;
  export interface TestContext {
    after(end: () => unknown): void;
  }
}

declare module "node:assert/strict" {
  const assert: {
    equal<T>(actual: unknown, expected: T, message?: string): asserts actual is T;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): asserts value;
    match(value: string, pattern: RegExp): void;
    throws(body: () => unknown, expected: object): void;
    rejects(promise: Promise<unknown>, expected: object): Promise<void>;
  };
  export default assert;
}

declare module "node:http" {
  export interface Response {
    writeHead(status: number, headers?: Record<string, string>): Response;
    end(body?: string | Uint8Array): void;
  }
  export interface Server {
    listen(port: number, host: string, ready: () => void): void;
    address(): { port: number };
    close(): void;
    closeAllConnections(): void;
  }
  export function createServer(answer: (request: { url: string }, response: Response) => void): Server;
}

declare module "node:fs" {
  export function readFileSync(path: URL): Uint8Array<ArrayBuffer>;
}

declare module "node:vm" {
  export function runInNewContext(code: string): unknown;
}

// What a test looks at where the module runs, in the page or in a worker.

globalThis.sockets = []; // URL of each WebSocket
globalThis.WebSocket = class extends globalThis.WebSocket {
  constructor(url, protocols) {
    sockets.push(String(url));
    super(url, protocols);
  }
};

globalThis.answers = []; // [URL, status, when it was asked for, when it came] of each answer to a fetch; times of performance.now()
globalThis.fetch = ((plain) => async (input, init) => {
  const asked = performance.now();
  const answer = await plain(input, init);
  answers.push([String(input?.url ?? input), answer.status, asked, performance.now()]);
  return answer;
})(globalThis.fetch);

globalThis.compiled = 0; // calls that compile WebAssembly
for (const name of ["compile", "compileStreaming", "instantiate", "instantiateStreaming"]) {
  const plain = WebAssembly[name];
  WebAssembly[name] = (source, ...rest) => {
    if (!(source instanceof WebAssembly.Module)) compiled++;
    return plain.call(WebAssembly, source, ...rest);
  };
}
0;

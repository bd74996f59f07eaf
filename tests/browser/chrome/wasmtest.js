// Runs a Go test binary, in the page or in a worker, and resolves with its exit code.
// What the test prints comes out on the console, each line behind the mark "go: ".

const inPage = typeof document === "object";

async function runHere({ argv, env }) {
	// wasm_exec.js writes what Go prints with console.log; the mark tells it from other output.
	const log = console.log;
	console.log = (...parts) => (inPage ? log : forward)("go: " + parts.join(" "));
	const forward = (line) => postMessage({ line });
	const go = new Go();
	go.argv = argv;
	go.env = env;
	let code = -1;
	go.exit = (c) => { code = c; };
	const { instance } = await WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject);
	await go.run(instance);
	return code;
}

function runInWorker(job) {
	return new Promise((resolve, reject) => {
		const worker = new Worker("/worker.js");
		worker.onerror = (e) => reject(new Error("worker: " + e.message));
		worker.onmessage = ({ data }) => {
			if ("line" in data) console.log(data.line);
			else if ("code" in data) resolve(data.code);
			else reject(new Error(data.error));
		};
		worker.postMessage(job);
	});
}

if (!inPage) {
	onmessage = ({ data }) => runHere(data).then(
		(code) => postMessage({ code }),
		(error) => postMessage({ error: String(error && error.stack || error) }));
}

package bundlers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// onServer imports what a server's renderer may import, with a watch on the names that only
// browsers have, and calls load.
const onServer = `
const touched = [];
for (const name of ["window", "document", "location", "self", "navigator", "Worker", "WebSocket", "WebAssembly",
	"localStorage", "sessionStorage", "BroadcastChannel", "caches", "indexedDB", "XMLHttpRequest", "fetch"]) {
	const there = name in globalThis, value = globalThis[name];
	Object.defineProperty(globalThis, name, { configurable: true, get() { touched.push(name); return there ? value : undefined } });
	if (!there) globalThis.absent = [...(globalThis.absent ?? []), name];
}
const globals = Object.getOwnPropertyNames(globalThis);
const results = {};
for (const name of ENTRIES) {
	const lib = await import(name);
	results[name] = { exports: Object.keys(lib).sort(), touched: touched.splice(0) };
	if (lib.load) {
		for (const name of globalThis.absent) delete globalThis[name];
		const error = await lib.load({ appID: "a", appKey: "k", site: "JP" }).catch((e) => e);
		Object.assign(results[name], { code: error.code, remedy: error.remedy, isKiiError: error instanceof lib.KiiError });
		touched.length = 0;
	}
}
console.log(JSON.stringify({ results, left: Object.getOwnPropertyNames(globalThis).filter((name) => !globals.includes(name)) }));
`

// TestOnAServer: importing touches nothing, and load says what to use instead.
func TestOnAServer(t *testing.T) {
	dir := project(t)
	for _, entry := range []string{"kiiweb", "kiiweb/service-worker", "kiiweb/compat", "kiiweb/notify"} {
		t.Run(entry, func(t *testing.T) {
			write(t, filepath.Join(dir, "server.js"), "const ENTRIES = ["+quote(entry)+"];"+onServer)
			var out struct {
				Results map[string]struct {
					Exports, Touched []string
					Code, Remedy     string
					IsKiiError       bool
				}
				Left []string
			}
			require.NoError(t, json.Unmarshal([]byte(run(t, dir, "node", "server.js")), &out))
			r := out.Results[entry]
			assert.Empty(t, r.Touched)
			assert.Empty(t, out.Left, "globals")
			if name, ok := map[string]string{"kiiweb/compat": "KiiUser", "kiiweb/notify": "notifications"}[entry]; ok { // they have no load
				assert.Contains(t, r.Exports, name)
				return
			}
			assert.Subset(t, r.Exports, []string{"KiiError", "load", "version"})
			assert.Equal(t, "UNSUPPORTED", r.Code)
			assert.Contains(t, r.Remedy, "Go library")
			assert.True(t, r.IsKiiError)
		})
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// TestItsTypes: they compile where a user's project is strict and checks libraries, too, in
// each way of looking modules up.
func TestItsTypes(t *testing.T) {
	dir := project(t)
	write(t, filepath.Join(dir, "index.ts"), `
/// <reference types="kiiweb/global" />
import { KiiError, load, version, type Connection, type KiiPushMessage } from "kiiweb";
import { load as inServiceWorker } from "kiiweb/service-worker";
import type { Raw } from "kiiweb/raw";
import { KiiUser } from "kiiweb/compat";
import { notifications } from "kiiweb/notify";
export async function run(raw: Raw): Promise<Connection> {
	await using kii = await load({ appID: "a", appKey: "k", site: "JP" });
	const other = await kiiweb.load({ appID: version, appKey: "k", site: "JP" });
	await (await inServiceWorker({ appID: "a", appKey: "k", site: "JP" })).dispose();
	await raw.init({ appID: "a", appKey: "k", site: "JP" });
	await KiiUser.authenticate("name", "password");
	using notifier = await notifications(kii, { content: (m) => ({ title: m.text() }) });
	const connection = await other.connect(await kii.getMqttEndpoint("id"));
	notifier.watch(connection);
	connection.on("message", (m) => m.json<KiiPushMessage<{ text: string }>>().text.length);
	try { await connection.close() } catch (e) { if (e instanceof KiiError && e.code === "TIMEOUT") throw e }
	return connection;
}
`)
	write(t, filepath.Join(dir, "script.ts"), `
import "kiiweb/kiiweb.js";
import "kiiweb/compat.js";
import "kiiweb/notify.js";
export const all = [kiiweb.load, kiiweb.attach, KiiUser.authenticate, kiiwebNotify.notifications];
`)
	tsc := filepath.Join(cloud.Root(), "js", "node_modules", ".bin", "tsc")
	for _, how := range [][]string{{"esnext", "bundler"}, {"nodenext", "nodenext"}} {
		t.Run(how[1], func(t *testing.T) {
			write(t, filepath.Join(dir, "tsconfig.json"), `{ "files": ["index.ts", "script.ts"], "compilerOptions": {
				"noEmit": true, "strict": true, "skipLibCheck": false, "exactOptionalPropertyTypes": true, "types": [],
				"target": "es2022", "lib": ["es2022", "dom"], "module": `+quote(how[0])+`, "moduleResolution": `+quote(how[1])+` } }`)
			run(t, dir, tsc, "--project", dir)
		})
	}
}

// TestWhereItComesFrom: build-info.json names the bytes that were installed.
func TestWhereItComesFrom(t *testing.T) {
	dist := filepath.Join(project(t), "node_modules", "kiiweb", "dist")
	raw, err := os.ReadFile(filepath.Join(dist, "build-info.json"))
	require.NoError(t, err)
	var info struct {
		Version, Toolchain, Build, Files string
		SHA256                           map[string]string
	}
	require.NoError(t, json.Unmarshal(raw, &info))
	assert.Regexp(t, `^go1\.\d+`, info.Toolchain)
	assert.NotEmpty(t, info.Version)
	for _, name := range []string{"kiiweb.wasm", "kiiweb.mjs", "kiiweb.js", "worker.js", "mainhost.mjs", "push.mjs", "debug.mjs", "tabs.mjs", "serviceworker.mjs"} {
		data, err := os.ReadFile(filepath.Join(dist, name))
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		assert.Equal(t, hex.EncodeToString(sum[:]), info.SHA256[name], name)
		build := info.Files
		if name == "kiiweb.wasm" || strings.HasPrefix(name, "serviceworker") { // in one file there are no others to tell apart
			build = info.Build
		}
		assert.Contains(t, string(data), build, "%s knows its build", name)
	}
}

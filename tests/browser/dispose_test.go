package browser_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// countWorkers keeps account in a page of the workers that the library makes and ends.
const countWorkers = `globalThis.alive = 0;
	globalThis.Worker = class extends Worker {
		constructor(...args) { super(...args); alive++ }
		terminate() { super.terminate(); alive-- }
	}; 0`

// TestEndings: close and dispose can be called in any number and order, and leave nothing running.
func TestEndings(t *testing.T) { onEachHost(t, endings) }

func endings(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.Eval(countWorkers, nil)
	p.connectAs(u)
	p.eval(`await Promise.all([connection.close(), connection.close()]); await connection.close()`, nil)
	assert.Equal(t, "closed", p.states())

	p.Eval(`states.length = 0`, nil)
	p.eval(`await journey(); await Promise.all([kii.dispose(), connection.close(), kii.dispose()])`, nil)
	assert.Equal(t, "closed", p.states())
	assert.Equal(t, "CLOSED", p.rejects(`await kii.installMqtt(false)`).Code)
	assert.Equal(t, "CLOSED", p.rejects(`await kii.connect(endpoint)`).Code)
	var alive int
	p.Eval("alive", &alive)
	assert.Zero(t, alive, "workers")
	p.assertQuiet()
}

// TestMountedTwice: what React's StrictMode does to an effect, at every moment of its way: it is
// cleaned up and run again. The second run gets every message once, and keeps the connection.
func TestMountedTwice(t *testing.T) { onEachHost(t, mountedTwice) }

func mountedTwice(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.Eval(countWorkers, nil)
	p.Eval(`globalThis.mount = (at, reached) => {
		const life = new AbortController();
		const { signal } = life;
		let mine;
		const step = async (name, work) => { const done = work(); if (name === at) reached(); return done };
		const ready = (async () => {
			mine = await step("load", () => lib.load(options));
			if (signal.aborted) return mine.dispose();
			await step("login", () => mine.login(`+quote(u.LoginName)+`, `+quote(u.Password)+`, { signal }));
			const { installationID } = await step("installMqtt", () => mine.installMqtt(false, { signal }));
			const endpoint = await step("getMqttEndpoint", () => mine.getMqttEndpoint(installationID, { signal }));
			attach(await step("connect", () => mine.connect(endpoint, { signal })));
			if (at === "online") reached();
		})();
		const clean = async () => { life.abort(); await mine?.dispose() };
		return { ready, clean };
	}; 0`, nil)
	for _, at := range []string{"load", "login", "installMqtt", "getMqttEndpoint", "connect", "online"} {
		p.eval(`
			got.length = states.length = 0;
			let first;
			await new Promise((reached) => { first = mount(`+quote(at)+`, reached) });
			const end = first.ready.then(() => "ready", (e) => e.code);
			const cleaned = first.clean();
			globalThis.second = mount();
			await second.ready;
			await cleaned;
			globalThis.firstEnded = await end;`, nil)
		s.Push(u, map[string]any{"text": at})
		p.awaitTexts(at)
		var ended, state string
		p.Eval("firstEnded", &ended)
		p.Eval("connection.state", &state)
		assert.Contains(t, []string{"ready", "ABORTED", "CLOSED"}, ended, at)
		assert.Equal(t, "online", state, at)
		p.eval(`await second.clean()`, nil)
		var alive int
		p.Eval("alive", &alive)
		assert.Zero(t, alive, "workers, after the page left at "+at)
	}
	p.assertQuiet()
}

// TestConnectsThatAreGivenUp leave no connection behind that would take part in anything.
func TestConnectsThatAreGivenUp(t *testing.T) { onEachHost(t, connectsThatAreGivenUp) }

func connectsThatAreGivenUp(t *testing.T, s *site) {
	u := s.NewUser()
	p := s.page(plain)
	p.connectAs(u)
	var codes []string
	p.eval(`
		await connection.close();
		const ends = [];
		for (let i = 0; i < 20; i++) {
			const life = new AbortController();
			const call = kii.connect(endpoint, { signal: life.signal });
			setTimeout(() => life.abort(), i * 2);
			ends.push(await call.then((c) => c.close().then(() => "connected"), (e) => e.code));
		}
		got.length = states.length = 0;
		attach(await kii.connect(endpoint));
		return ends`, &codes)
	for _, code := range codes {
		assert.Contains(t, []string{"connected", "ABORTED"}, code)
	}
	t.Log(codes)
	s.Push(u, map[string]any{"text": "still here"})
	p.awaitTexts("still here")
	assert.Empty(t, p.states(), "nothing has contested the connection")
	p.eval(`await kii.dispose()`, nil)
}

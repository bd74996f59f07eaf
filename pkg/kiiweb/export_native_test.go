//go:build !js

package kiiweb

import (
	"fmt"
	"slices"
)

// StartExampleCloud starts the fakes that the example talks to, and gives the URL of
// their REST API.
func StartExampleCloud() (baseURL string, stop func()) {
	t := &exampleT{}
	b := startBroker(t)
	s := serve(t,
		reply{status: 200, body: `{"id":"u1","access_token":"tok-1"}`},
		reply{status: 201, body: installed},
		notReady,
		freshEndpoint(b, "pw-1"),
		reply{status: 201, body: sent, before: func() { b.next().push(1, `{"text":"hello"}`) }},
		reply{status: 204},
	)
	return s.url + "/api", t.stop
}

// exampleT stands for the *testing.T that an example has not.
type exampleT struct{ cleanups []func() }

func (t *exampleT) Errorf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
func (t *exampleT) FailNow()                          { panic("failed") }
func (t *exampleT) Helper()                           {}
func (t *exampleT) Logf(string, ...any)               {}
func (t *exampleT) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *exampleT) Failed() bool                      { return false }

func (t *exampleT) stop() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

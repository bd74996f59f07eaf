package rest

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Whatever a client sends is refused, or kept such that it can be read and written again.
func FuzzFields(f *testing.F) {
	for _, body := range []string{`{}`, `null`, `[]`, `{"a":"50% <b>","_b":1,"":null}`, `{"loginName":"ann","country":"JP","locale":null,"x":{"y":[1e999]}}`,
		`{"_vendorThingID":"v","_password":"pw","_numberField1":1,"_thingType":"t"}`, `{"a":"\ud800","\ud800":1}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}"} {
		f.Add(body)
	}
	call := func(body string) *call { return &call{r: httptest.NewRequest("POST", "/", strings.NewReader(body))} }
	f.Fuzz(func(t *testing.T, body string) {
		var u store.User
		if req, err := call(body).readUserFields(); err == nil && req.apply(&u) == nil {
			res, err := describeUser(u, true)
			require.NoError(t, err)
			again := writes(t, res)
			for name := range predefined {
				if name != "country" && name != "locale" && name != "userID" {
					assert.NotContains(t, mustFields(t, u.Fields), name)
				}
			}
			require.NoError(t, req.apply(&u))
			res, err = describeUser(u, true)
			require.NoError(t, err)
			assert.Equal(t, again, writes(t, res), "the same update changes nothing")
		}
		if _, kept, err := call(body).readThing(); err == nil {
			text, err := kept.encode()
			if err != nil {
				return
			}
			res, err := describeThing(store.Thing{Fields: text})
			require.NoError(t, err)
			writes(t, res)
			for name := range mustFields(t, text) {
				assert.True(t, !strings.HasPrefix(name, "_") || thingFieldKinds[name] != "", name)
			}
		}
	})
}

func mustFields(t *testing.T, text []byte) fields {
	f, err := decodeFields(text)
	require.NoError(t, err)
	return f
}

// writes gives the answer's text, which must be JSON without a percent sign.
func writes(t *testing.T, body any) string {
	w := httptest.NewRecorder()
	writeJSON(w, 200, typeJSON, body)
	require.True(t, json.Valid(w.Body.Bytes()), w.Body.String())
	require.NotContains(t, w.Body.String(), "%")
	return w.Body.String()
}

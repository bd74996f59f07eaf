package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const thingAuthorization = "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json"

func TestRegisterThing(t *testing.T) {
	l := newLab(t)
	const body = `{"_vendorThingID":"thermo-1.A_b","_password":"pw-1%","_thingType":"thermometer","_stringField1":"100%","_numberField5":-7,
		"_firmwareVersion":null,"_thingID":"mine","_created":1,"_accessToken":"mine","_secret":"x",
		"place":{"room":[1,"50% <b>",null]},"":"empty","big":12345678901234567890.5}`
	a := l.call("POST", "/api/apps/demo/things", "stale", body, "Content-Type", thingAuthorization+"; charset=UTF-8")
	require.Equal(t, 201, a.StatusCode, a.text)
	assert.Equal(t, typeThingAuthorized, a.Header.Get("Content-Type"))
	id, token := a.str("_thingID"), a.str("_accessToken")
	assert.Equal(t, "/api/apps/demo/things/"+id, a.Header.Get("Location"))
	assert.Contains(t, a.text, "12345678901234567890.5", "numbers come back as they were")
	want := map[string]any{
		"_thingID": id, "_vendorThingID": "thermo-1.A_b", "_created": 1_700_000_000_000.0, "_disabled": false, "_thingType": "thermometer",
		"_stringField1": "100%", "_numberField5": -7.0, "place": map[string]any{"room": []any{1.0, "50% <b>", nil}}, "": "empty", "big": 12345678901234567890.5,
	}
	for _, c := range []struct{ name, path, token string }{
		{"itself", id, token}, {"itself by the vendor's id", "VENDOR_THING_ID:thermo-1.A_b", token},
		{"itself, escaped", "VENDOR_THING_ID%3Athermo%2D1.A_b", token},
		{"administrator", id, l.admin()}, {"administrator by the vendor's id", "VENDOR_THING_ID:thermo-1.A_b", l.admin()},
	} {
		got := l.call("GET", "/api/apps/demo/things/"+c.path, c.token, "")
		require.Equal(t, 200, got.StatusCode, c.name+got.text)
		assert.Equal(t, typeThing, got.Header.Get("Content-Type"))
		assert.Equal(t, want, got.json, c.name)
	}
	l.call("POST", "/api/apps/demo/things", "", body, "Content-Type", thingAuthorization).want(t, 409, "THING_ALREADY_EXISTS")

	plain := l.call("POST", "/api/apps/demo/things", "", `{"_vendorThingID":"t2","_password":"pw-t2"}`, "Content-Type", "application/vnd.kii.ThingRegistrationRequest+json")
	require.Equal(t, 201, plain.StatusCode, plain.text)
	assert.Equal(t, typeThingRegistered, plain.Header.Get("Content-Type"))
	assert.NotContains(t, plain.json, "_accessToken")
	l.login("VENDOR_THING_ID:t2", "pw-t2")
	assert.NotContains(t, l.log.String(), "pw-")
}

func TestRegisterThingChecksItsInput(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct{ name, body, message string }{
		{"no vendor's id", `{"_password":"pw-x"}`, "_vendorThingID is missing"},
		{"empty vendor's id", `{"_vendorThingID":"","_password":"pw-x"}`, "_vendorThingID is missing"},
		{"vendor's id null", `{"_vendorThingID":null,"_password":"pw-x"}`, "_vendorThingID is missing"},
		{"vendor's id is a number", `{"_vendorThingID":1,"_password":"pw-x"}`, "_vendorThingID must not be a number"},
		{"percent in the vendor's id", `{"_vendorThingID":"a%41","_password":"pw-x"}`, "_vendorThingID must have"},
		{"slash in the vendor's id", `{"_vendorThingID":"a/b","_password":"pw-x"}`, "_vendorThingID must have"},
		{"hash in the vendor's id", `{"_vendorThingID":"a#b","_password":"pw-x"}`, "_vendorThingID must have"},
		{"colon in the vendor's id", `{"_vendorThingID":"a:b","_password":"pw-x"}`, "_vendorThingID must have"},
		{"umlaut in the vendor's id", `{"_vendorThingID":"ä","_password":"pw-x"}`, "_vendorThingID must have"},
		{"line break at the end", `{"_vendorThingID":"a\n","_password":"pw-x"}`, "_vendorThingID must have"},
		{"long vendor's id", `{"_vendorThingID":"` + strings.Repeat("x", 201) + `","_password":"pw-x"}`, "_vendorThingID must have"},
		{"no password", `{"_vendorThingID":"v"}`, "_password is missing"},
		{"short password", `{"_vendorThingID":"v","_password":"abc"}`, "_password must have"},
		{"long password", `{"_vendorThingID":"v","_password":"` + strings.Repeat("x", 257) + `"}`, "_password must have"},
		{"type with a space", `{"_vendorThingID":"v","_password":"pw-x","_thingType":"a b"}`, "_thingType must have"},
		{"long lot", `{"_vendorThingID":"v","_password":"pw-x","_lot":"` + strings.Repeat("x", 101) + `"}`, "_lot must have"},
		{"vendor is an object", `{"_vendorThingID":"v","_password":"pw-x","_vendor":{}}`, "_vendor must not be an object"},
		{"string field is a number", `{"_vendorThingID":"v","_password":"pw-x","_stringField3":3}`, "_stringField3 must not be a number"},
		{"long string field", `{"_vendorThingID":"v","_password":"pw-x","_stringField3":"` + strings.Repeat("x", 4097) + `"}`, "_stringField3 must have"},
		{"number field is a string", `{"_vendorThingID":"v","_password":"pw-x","_numberField1":"1"}`, "_numberField1 must be an integer"},
		{"number field is a fraction", `{"_vendorThingID":"v","_password":"pw-x","_numberField1":1.5}`, "_numberField1 must be an integer"},
		{"too many fields", `{"_vendorThingID":"v","_password":"pw-x","a":"` + strings.Repeat("x", maxFields) + `"}`, "bytes of JSON together"},
		{"array", `[]`, "must be a JSON object"},
		{"null", `null`, "must be a JSON object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/things", "", c.body, "Content-Type", thingAuthorization)
			a.want(t, 400, "INVALID_INPUT_DATA")
			assert.Contains(t, a.str("message"), c.message)
		})
	}
	longest := strings.Repeat("x", 200)
	id, token := l.thing(longest)
	assert.Equal(t, id, l.call("GET", "/api/apps/demo/things/VENDOR_THING_ID:"+longest, token, "").str("_thingID"))
}

// Strangers get one answer, whether there is such a thing or not.
func TestAThingIsItsOwn(t *testing.T) {
	l := newLab(t)
	id, token := l.thing("v")
	_, other := l.thing("w")
	_, ann := l.user("ann")
	admin := l.admin()
	for _, call := range []struct{ method, suffix, body string }{
		{"GET", "", ""}, {"PATCH", "", `{"a":1}`}, {"GET", "/status", ""}, {"POST", "/push/messages", `{"data":{"a":1},"mqtt":{"enabled":true}}`}, {"DELETE", "", ""},
	} {
		t.Run(call.method+" "+call.suffix, func(t *testing.T) {
			for _, caller := range []string{other, ann} {
				var answers []string
				for _, name := range []string{id, "VENDOR_THING_ID:v", "nothing", "VENDOR_THING_ID:nothing"} {
					a := l.call(call.method, "/api/apps/demo/things/"+name+call.suffix, caller, call.body)
					a.want(t, 401, "UNAUTHORIZED")
					answers = append(answers, a.text)
				}
				for _, text := range answers {
					assert.Equal(t, answers[0], text)
				}
			}
			for _, name := range []string{"nothing", "VENDOR_THING_ID:nothing"} {
				a := l.call(call.method, "/api/apps/demo/things/"+name+call.suffix, admin, call.body)
				a.want(t, 404, "THING_NOT_FOUND")
				assert.Equal(t, "nothing", a.str("value"))
			}
			a := l.call(call.method, "/api/apps/demo/things/VENDOR_THING_ID:v"+call.suffix, token, call.body)
			assert.Less(t, a.StatusCode, 300, a.text)
		})
	}
}

func TestUpdateThing(t *testing.T) {
	l := newLab(t)
	id, token := l.thing("v")
	read := func() map[string]any { return l.call("GET", "/api/apps/demo/things/"+id, token, "").json }
	patch := func(token, body string) answer {
		return l.call("PATCH", "/api/apps/demo/things/"+id, token, body, "Content-Type", "application/vnd.kii.ThingUpdateRequest+json")
	}
	before := read()
	require.Equal(t, 204, patch(token, `{"_thingType":"a","x":1,"y":{"z":"50%"}}`).StatusCode)
	require.Equal(t, 204, patch(l.admin(), `{"x":null,"_thingType":"b"}`).StatusCode)
	before["_thingType"], before["x"], before["y"] = "b", nil, map[string]any{"z": "50%"}
	assert.Equal(t, before, read(), "what is not sent stays")

	// The official SDK sends back all that it has read, and what was changed.
	require.Equal(t, 204, patch(token, `{"_thingID":"else","_vendorThingID":"else","_password":"else","_created":1,"_disabled":true,"_accessToken":"t","_thingType":"b"}`).StatusCode)
	assert.Equal(t, before, read())
	l.login("VENDOR_THING_ID:v", "pw-v")

	patch(token, `{"_numberField1":"x"}`).want(t, 400, "INVALID_INPUT_DATA")
	half := `"` + strings.Repeat("x", maxFields/2) + `"`
	require.Equal(t, 204, patch(token, `{"a":`+half+`}`).StatusCode)
	patch(token, `{"b":`+half+`}`).want(t, 400, "INVALID_INPUT_DATA")
	assert.NotContains(t, read(), "b", "the fields together are bounded")
}

func TestDisableThing(t *testing.T) {
	l := newLab(t)
	id, token := l.thing("v")
	_, ann := l.user("ann")
	admin := l.admin()
	inst, _ := l.install(token)
	status := func(token, body string) answer {
		return l.call("PUT", "/api/apps/demo/things/"+id+"/status", token, body, "Content-Type", "application/vnd.kii.ThingStatusUpdateRequest+json")
	}
	status(token, `{"disabled":true}`).want(t, 403, "WRONG_TOKEN")
	status(ann, `{"disabled":true}`).want(t, 403, "WRONG_TOKEN")
	status(admin, `{}`).want(t, 400, "INVALID_INPUT_DATA")
	assert.Equal(t, false, l.call("GET", "/api/apps/demo/things/"+id+"/status", token, "").json["disabled"])

	require.Equal(t, 204, status(admin, `{"disabled":true}`).StatusCode)
	l.call("GET", "/api/apps/demo/things/"+id, token, "").want(t, 401, "UNAUTHORIZED")
	a := l.call("POST", "/api/oauth2/token", "", `{"username":"VENDOR_THING_ID:v","password":"pw-v"}`)
	a.want(t, 400, "invalid_grant")
	assert.Contains(t, a.str("error_description"), "disabled")
	require.Len(t, l.engine.ended, 1, "its connection")
	assert.Equal(t, inst, l.engine.ended[0].ID)
	a = l.call("POST", "/api/oauth2/token", "", `{"username":"VENDOR_THING_ID:v","password":"wrong"}`)
	assert.NotContains(t, a.text, "disabled", "only who knows the password is told")
	assert.Equal(t, true, l.call("GET", "/api/apps/demo/things/"+id+"/status", admin, "").json["disabled"])
	assert.Equal(t, true, l.call("GET", "/api/apps/demo/things/"+id, admin, "").json["_disabled"])

	require.Equal(t, 204, status(admin, `{"disabled":false}`).StatusCode)
	again, _ := l.install(l.login("VENDOR_THING_ID:v", "pw-v"))
	assert.Equal(t, inst, again)
	assert.Len(t, l.engine.ended, 1, "enabling ends nothing")
	assert.Empty(t, l.engine.revoked)
}

func TestChangeThingPassword(t *testing.T) {
	l := newLab(t)
	_, token := l.thing("v")
	admin := l.admin()
	change := func(token, body string) answer {
		return l.call("PUT", "/api/apps/demo/things/VENDOR_THING_ID:v/password", token, body, "Content-Type", "application/vnd.kii.ChangeThingPasswordRequest+json")
	}
	change(token, `{"newPassword":"pw-new"}`).want(t, 403, "WRONG_TOKEN")
	change(admin, `{"newPassword":"abc"}`).want(t, 400, "PASSWORD_TOO_SHORT")
	require.Equal(t, 204, change(admin, `{"newPassword":"pw-new"}`).StatusCode)
	l.call("GET", "/api/apps/demo/things/VENDOR_THING_ID:v", token, "").want(t, 401, "UNAUTHORIZED")
	l.call("POST", "/api/oauth2/token", "", `{"username":"VENDOR_THING_ID:v","password":"pw-v"}`).want(t, 400, "invalid_grant")
	l.login("VENDOR_THING_ID:v", "pw-new")
	assert.Equal(t, 200, l.call("GET", "/api/apps/demo/things/VENDOR_THING_ID:v", admin, "").StatusCode, "the administrator's token stays")
}

func TestAThingInstallsAndIsPushedTo(t *testing.T) {
	l := newLab(t)
	id, token := l.thing("v")
	otherID, _ := l.thing("w")
	annID, _ := l.user("ann")
	admin := l.admin()
	inst, reg := l.install(token)
	for _, c := range []struct {
		name, token, body, code string
		status                  int
	}{
		{"itself by id", token, `{"deviceType":"MQTT","thingID":"` + id + `"}`, "", 201},
		{"administrator", admin, `{"deviceType":"MQTT","thingID":"` + id + `"}`, "", 201},
		{"another thing", token, `{"deviceType":"MQTT","thingID":"` + otherID + `"}`, "UNAUTHORIZED", 401},
		{"a user of its id", token, `{"deviceType":"MQTT","userID":"` + id + `"}`, "UNAUTHORIZED", 401},
		{"a user", token, `{"deviceType":"MQTT","userID":"` + annID + `"}`, "UNAUTHORIZED", 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/installations", c.token, c.body)
			if c.code != "" {
				a.want(t, c.status, c.code)
				return
			}
			require.Equal(t, c.status, a.StatusCode, a.text)
			assert.Equal(t, inst, a.str("installationID"))
		})
	}
	got := l.call("GET", "/api/apps/demo/installations/MQTT:"+reg, token, "")
	assert.Equal(t, id, got.str("thingID"))
	assert.NotContains(t, got.json, "userID")
	require.Equal(t, 200, l.call("GET", "/api/apps/demo/installations/"+inst+"/mqtt-endpoint", token, "").StatusCode)

	const push = `{"data":{"n":1},"mqtt":{"enabled":true}}`
	for path, pushing := range map[string]string{id: token, "VENDOR_THING_ID:v": admin} {
		before := l.engine.count()
		a := l.call("POST", "/api/apps/demo/things/"+path+"/push/messages", pushing, push)
		require.Equal(t, 201, a.StatusCode, a.text)
		assert.NotEmpty(t, a.str("pushMessageID"))
		assert.Equal(t, before+1, l.engine.count())
	}
	require.Equal(t, 201, l.call("POST", "/api/apps/demo/things/"+id+"/push/messages", token, push).StatusCode)
	assert.Equal(t, "kiicloud://things/"+id, l.engine.last(t)["senderURI"])
}

func TestDeleteThing(t *testing.T) {
	l := newLab(t)
	id, token := l.thing("v")
	inst, _ := l.install(token)
	require.Equal(t, 204, l.call("DELETE", "/api/apps/demo/things/"+id, token, "").StatusCode)
	require.Len(t, l.engine.revoked, 1)
	assert.Equal(t, inst, l.engine.revoked[0].ID)
	l.call("GET", "/api/apps/demo/things/"+id, token, "").want(t, 401, "UNAUTHORIZED")
	l.call("POST", "/api/oauth2/token", "", `{"username":"VENDOR_THING_ID:v","password":"pw-v"}`).want(t, 400, "invalid_grant")
	l.call("GET", "/api/apps/demo/installations/"+inst, l.admin(), "").want(t, 404, "INSTALLATION_NOT_FOUND")
	l.call("DELETE", "/api/apps/demo/things/"+id, l.admin(), "").want(t, 404, "THING_NOT_FOUND")
	again, _ := l.thing("v")
	assert.NotEqual(t, id, again, "the vendor's id is free")
}

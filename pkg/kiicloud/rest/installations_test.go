package rest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func TestInstall(t *testing.T) {
	l := newLab(t)
	annID, ann := l.user("ann")
	bobID, _ := l.user("bob")
	admin := l.admin()
	cases := []struct {
		name, token, body, code string
		status                  int
		owner                   string
		development             bool
	}{
		{"production", ann, `{"deviceType":"MQTT","development":false}`, "", 201, annID, false},
		{"development", ann, `{"deviceType":"MQTT","development":true}`, "", 201, annID, true},
		{"development as a string", ann, `{"deviceType":"MQTT","development":"true"}`, "", 201, annID, true},
		{"production as a string", ann, `{"deviceType":"MQTT","development":"false"}`, "", 201, annID, false},
		{"without development", ann, `{"deviceType":"MQTT"}`, "", 201, annID, false},
		{"for oneself by id", ann, `{"deviceType":"MQTT","userID":"` + annID + `"}`, "", 201, annID, false},
		{"for somebody, by an administrator", admin, `{"deviceType":"MQTT","userID":"` + bobID + `"}`, "", 201, bobID, false},
		{"for somebody else", ann, `{"deviceType":"MQTT","userID":"` + bobID + `"}`, "UNAUTHORIZED", 401, "", false},
		{"for a thing", ann, `{"deviceType":"MQTT","thingID":"x"}`, "UNAUTHORIZED", 401, "", false},
		{"for nobody, by an administrator", admin, `{"deviceType":"MQTT"}`, "INVALID_INPUT_DATA", 400, "", false},
		{"for two, by an administrator", admin, `{"deviceType":"MQTT","userID":"a","thingID":"b"}`, "INVALID_INPUT_DATA", 400, "", false},
		{"for an unknown user", admin, `{"deviceType":"MQTT","userID":"nobody"}`, "USER_NOT_FOUND", 404, "", false},
		{"for an unknown thing", admin, `{"deviceType":"MQTT","thingID":"nothing"}`, "THING_NOT_FOUND", 404, "", false},
		{"another device type", ann, `{"deviceType":"ANDROID","development":true}`, "INVALID_INPUT_DATA", 400, "", false},
		{"no device type", ann, `{"development":true}`, "INVALID_INPUT_DATA", 400, "", false},
		{"development as a number", ann, `{"deviceType":"MQTT","development":1}`, "INVALID_INPUT_DATA", 400, "", false},
		{"without a token", "", `{"deviceType":"MQTT"}`, "UNAUTHORIZED", 401, "", false},
	}
	ids := map[string]string{}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := l.call("POST", "/api/apps/demo/installations", c.token, c.body, "Content-Type", "application/vnd.kii.InstallationCreationRequest+json")
			if c.code != "" {
				a.want(t, c.status, c.code)
				return
			}
			require.Equal(t, c.status, a.StatusCode, a.text)
			assert.Equal(t, typeInstalled, a.Header.Get("Content-Type"))
			id := a.str("installationID")
			if ids[c.owner] == "" {
				ids[c.owner] = id + a.str("installationRegistrationID")
			}
			assert.Equal(t, ids[c.owner], id+a.str("installationRegistrationID"), "installing again gives the same ids")
			got := l.call("GET", a.Header.Get("Location"), admin, "")
			assert.Equal(t, map[string]any{
				"installationID": id, "installationRegistrationID": a.str("installationRegistrationID"),
				"deviceType": "MQTT", "userID": c.owner, "development": c.development,
			}, got.json)
		})
	}
}

// The calls on one installation, by both of its names and by everybody.
func TestInstallationCallers(t *testing.T) {
	for _, call := range []struct{ name, method, suffix string }{
		{"read", "GET", ""}, {"endpoint", "GET", "/mqtt-endpoint"}, {"uninstall", "DELETE", ""},
	} {
		t.Run(call.name, func(t *testing.T) {
			l := newLab(t)
			annID, ann := l.user("ann")
			_, bob := l.user("bob")
			id, reg := l.install(ann)
			for _, name := range []string{id, "MQTT:" + reg} {
				path := "/api/apps/demo/installations/" + name + call.suffix
				l.call(call.method, path, "", "").want(t, 401, "UNAUTHORIZED")
				a := l.call(call.method, path, bob, "")
				a.want(t, 401, "UNAUTHORIZED")
				assert.NotContains(t, a.text, annID)
				l.call(call.method, path, ann, "", "X-Kii-AppID", "other", "X-Kii-AppKey", "other-key").want(t, 403, "WRONG_APP")
			}
			for _, name := range []string{"nothing", "MQTT:nothing", "OTHER:" + reg, reg} {
				a := l.call(call.method, "/api/apps/demo/installations/"+name+call.suffix, ann, "")
				a.want(t, 404, "INSTALLATION_NOT_FOUND")
				assert.Equal(t, "demo", a.str("appID"))
			}
			for _, token := range []string{ann, l.admin()} {
				for _, byRegistration := range []bool{false, true} {
					id, reg := l.install(ann) // again, where the call before has removed it
					name := id
					if byRegistration {
						name = "MQTT:" + reg
					}
					a := l.call(call.method, "/api/apps/demo/installations/"+name+call.suffix, token, "")
					assert.Less(t, a.StatusCode, 300, a.text)
				}
			}
		})
	}
}

func TestUninstallEndsAllOfIt(t *testing.T) {
	l := newLab(t)
	_, ann := l.user("ann")
	id, reg := l.install(ann)
	a := l.call("DELETE", "/api/apps/demo/installations/MQTT:"+reg, ann, "")
	assert.Equal(t, 204, a.StatusCode)
	assert.Empty(t, a.text)
	require.Len(t, l.engine.revoked, 1)
	assert.Equal(t, id, l.engine.revoked[0].ID)
	assert.NotEmpty(t, l.engine.revoked[0].Topic, "the engine must know whom to end")
	l.call("DELETE", "/api/apps/demo/installations/"+id, ann, "").want(t, 404, "INSTALLATION_NOT_FOUND")
	l.call("GET", "/api/apps/demo/installations/"+id+"/mqtt-endpoint", ann, "").want(t, 404, "INSTALLATION_NOT_FOUND")
	again, _ := l.install(ann)
	assert.NotEqual(t, id, again)

	l.engine.fail = errors.New("broker is away")
	assert.Equal(t, 204, l.call("DELETE", "/api/apps/demo/installations/"+again, ann, "").StatusCode, "the installation is gone all the same")
	assert.Contains(t, l.log.String(), "broker is away")
}

func TestEndpoint(t *testing.T) {
	l := newLab(t, func(c *Config) { c.EndpointDelay = 1500 * time.Millisecond })
	_, ann := l.user("ann")
	id, _ := l.install(ann)
	path := "/api/apps/demo/installations/" + id + "/mqtt-endpoint"

	a := l.call("GET", path, ann, "")
	a.want(t, 503, "MQTT_ENDPOINT_NOT_READY")
	assert.Equal(t, "2", a.Header.Get("Retry-After"))
	assert.EqualValues(t, 2, a.json["retryAfter"])
	l.advance(time.Second)
	a = l.call("GET", path, ann, "")
	a.want(t, 503, "MQTT_ENDPOINT_NOT_READY")
	assert.Equal(t, "1", a.Header.Get("Retry-After"))
	l.install(ann) // installing again does not begin the delay anew
	l.advance(500 * time.Millisecond)

	a = l.call("GET", path, ann, "")
	require.Equal(t, 200, a.StatusCode, a.text)
	assert.Equal(t, typeEndpoint, a.Header.Get("Content-Type"))
	assert.Equal(t, "3600", a.Header.Get("X-MQTT-TTL"))
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
	i, err := l.store.InstallationByID(context.Background(), "demo", id)
	require.NoError(t, err)
	assert.Equal(t, map[string]any{
		"installationID": id, "username": "mqtt-user", "password": "mqtt-password-1", "mqttTopic": i.Topic, "host": "localhost",
		"portTCP": 1.0, "portSSL": 2.0, "portWS": 3.0, "portWSS": 4.0, "X-MQTT-TTL": 3600.0,
	}, a.json)

	l.engine.endpoint.TTL = 100 * 365 * 24 * time.Hour
	b := l.call("GET", path, ann, "")
	assert.Equal(t, a.str("mqttTopic"), b.str("mqttTopic"))
	assert.NotEqual(t, a.str("password"), b.str("password"))
	assert.Equal(t, "2147483647", b.Header.Get("X-MQTT-TTL"))
}

// A clock that is set back, or another process's that is behind, keeps nobody waiting for longer than was asked for.
func TestAnEndpointDoesNotWaitForAClock(t *testing.T) {
	for name, delay := range map[string]time.Duration{"without a delay": 0, "with one": time.Second} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, func(c *Config) { c.EndpointDelay = delay })
			_, ann := l.user("ann")
			id, _ := l.install(ann)
			l.advance(-time.Minute)
			a := l.call("GET", "/api/apps/demo/installations/"+id+"/mqtt-endpoint", ann, "")
			assert.Equal(t, 200, a.StatusCode, a.text)
		})
	}
}

func TestEndpointOfAnotherDeviceType(t *testing.T) {
	l := newLab(t)
	annID, ann := l.user("ann")
	i, _, err := l.store.Install(context.Background(), store.Installation{Owner: store.Owner{AppID: "demo", Kind: store.OwnerUser, ID: annID}, DeviceType: "ANDROID"})
	require.NoError(t, err)
	l.call("GET", "/api/apps/demo/installations/"+i.ID+"/mqtt-endpoint", ann, "").want(t, 404, "MQTT_ENDPOINT_NOT_FOUND")
}

package brokers

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// Cloud is the local cloud, at which everybody has one topic, and an account that is good
// for that topic alone.
type Cloud struct {
	*cloud.Cloud
	Restarting sync.RWMutex // held while Restart writes what others read
}

// StartCloud starts the local cloud until t ends.
func StartCloud(t testing.TB) *Cloud { return &Cloud{Cloud: cloud.Start(t)} }

// Endpoint registers a user for push and gives the way to the user's topic.
func (c *Cloud) Endpoint(t testing.TB) (cloud.User, kiiweb.Endpoint) {
	t.Helper()
	u := c.NewUser()
	app := "/apps/" + c.Ready.AppID
	status, inst := c.Call("POST", app+"/installations", u.Token,
		"application/vnd.kii.InstallationCreationRequest+json", map[string]any{"deviceType": "MQTT", "development": false})
	require.Equal(t, http.StatusCreated, status, "%v", inst)
	status, e := c.Call("GET", app+"/installations/"+inst["installationID"].(string)+"/mqtt-endpoint", u.Token, "", nil)
	require.Equal(t, http.StatusOK, status, "%v", e)
	return u, kiiweb.Endpoint{
		Username: e["username"].(string), Password: e["password"].(string), MQTTTopic: e["mqttTopic"].(string),
		Host: "127.0.0.1", PortTCP: c.Ready.PortTCP, PortWS: c.Ready.PortWS,
	}
}

// Push sends a push of these data, to which nothing is added, and gives the HTTP status and the error's code.
func (c *Cloud) Push(u cloud.User, data map[string]any) (status int, errorCode string) {
	status, body := c.Call("POST", "/apps/"+c.Ready.AppID+"/users/me/push/messages", u.Token,
		"application/vnd.kii.SendPushMessageRequest+json",
		map[string]any{"data": data, "mqtt": map[string]any{"enabled": true}, "sendSender": false})
	errorCode, _ = body["errorCode"].(string)
	return status, errorCode
}

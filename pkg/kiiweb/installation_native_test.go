//go:build !js

package kiiweb

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInstallMQTT(t *testing.T) {
	for development, body := range map[bool]string{
		true:  `{"deviceType":"MQTT","development":true}`,
		false: `{"deviceType":"MQTT","development":false}`,
	} {
		s := serve(t, reply{status: 201, body: installed})
		inst, err := s.client().InstallMQTT(context.Background(), development)
		require.NoError(t, err)
		assert.Equal(t, Installation{"inst-1", "reg-1"}, inst)
		assert.Equal(t, "POST /api/apps/app-1/installations", s.seen()[0].method+" "+s.seen()[0].uri)
		assert.JSONEq(t, body, s.seen()[0].body)
	}
}

func TestUninstall(t *testing.T) {
	ctx := context.Background()
	t.Run("by registration id", func(t *testing.T) {
		s := serve(t, reply{status: 204})
		require.NoError(t, s.client().Uninstall(ctx, "reg-1", "MQTT"))
		assert.Equal(t, "DELETE /api/apps/app-1/installations/MQTT:reg-1", s.seen()[0].method+" "+s.seen()[0].uri)
	})
	t.Run("by id", func(t *testing.T) {
		s := serve(t, reply{status: 204})
		require.NoError(t, s.client().UninstallByInstallationID(ctx, "inst-1"))
		assert.Equal(t, "DELETE /api/apps/app-1/installations/inst-1", s.seen()[0].method+" "+s.seen()[0].uri)
	})
	t.Run("a body in the answer does not matter", func(t *testing.T) {
		require.NoError(t, serve(t, reply{status: 200, body: "gone"}).client().UninstallByInstallationID(ctx, "inst-1"))
	})
	t.Run("not found", func(t *testing.T) {
		err := serve(t, reply{status: 404, body: `{"errorCode":"INSTALLATION_NOT_FOUND","message":"no such installation"}`}).
			client().Uninstall(ctx, "reg-1", "MQTT")
		fails(t, err, CodeNotFound, "uninstall push failed: the server answered 404 INSTALLATION_NOT_FOUND: no such installation")
	})
}

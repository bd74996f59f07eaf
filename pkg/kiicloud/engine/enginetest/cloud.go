package enginetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// Cloud is an engine that runs, and what belongs to it.
type Cloud struct {
	Engine  engine.Engine
	Store   *store.SQL
	Secret  []byte          // which the engine's passwords are made with
	Expects engine.Endpoint // what every endpoint has: host, ports, TTL
	TCP     string          // host:port at which clients connect
	WS      string          // ws:// URL of the same
	Traits  Traits
}

// Traits are what an engine's broker may do in one way or another.
type Traits struct {
	// QoS0 tells that a client may subscribe at QoS 0 and with a session of its own.
	QoS0 bool
	// TellsWhy tells that a connection that the engine ends is told 0x98 on MQTT 5.
	TellsWhy bool
	// KeepsQuietTooLarge tells that a client's packet above the limit ends its connection with no
	// more than that. Else MQTT 5 clients are told 0x95.
	KeepsQuietTooLarge bool
}

// way is a transport and a protocol version.
type way struct {
	ws      bool
	version mqtt.Version
}

var (
	tcp4 = way{false, mqtt.V311}
	tcp5 = way{false, mqtt.V5}
	ws5  = way{true, mqtt.V5}
)

var ways = []way{{false, mqtt.V31}, tcp4, tcp5, {true, mqtt.V311}, ws5}

func (w way) String() string {
	transport := "tcp"
	if w.ws {
		transport = "ws"
	}
	return fmt.Sprintf("%s v%d", transport, w.version)
}

// world is a Cloud in a test.
type world struct {
	testing.TB
	Cloud
}

func (w world) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), guardtest.Patience)
	w.Cleanup(cancel)
	return ctx
}

// install makes a new installation, as the REST side does it.
func (w world) install() store.Installation {
	w.Helper()
	inst, created, err := w.Store.Install(w.ctx(), store.Installation{
		Owner: store.Owner{AppID: "app", Kind: store.OwnerUser, ID: store.NewID()}, DeviceType: "MQTT", CreatedAt: time.Now(),
	})
	require.NoError(w, err)
	require.True(w, created)
	require.NoError(w, w.Engine.Prepare(w.ctx(), inst))
	return inst
}

// uninstall removes an installation, as the REST side does it.
func (w world) uninstall(inst store.Installation) {
	w.Helper()
	gone, err := w.Store.DeleteInstallation(w.ctx(), inst.Owner.AppID, inst.ID)
	require.NoError(w, err)
	require.NoError(w, w.Engine.Revoke(w.ctx(), gone))
}

// push sends the pushes from..to-1, each after the one before was accepted.
func (w world) push(inst store.Installation, from, to int) {
	w.Helper()
	for n := from; n < to; n++ {
		require.NoError(w, w.Engine.Publish(w.ctx(), []store.Installation{inst}, pushNumber(n)))
	}
}

func pushNumber(n int) store.Push {
	return store.Push{MessageID: fmt.Sprintf("id-%d", n), Payload: []byte(fmt.Sprintf(`{"n":%d}`, n)), CreatedAt: time.Now()}
}

// hello has good credentials, and asks for a session that stays.
func (w world) hello(how way, inst store.Installation) guardtest.Hello {
	w.Helper()
	ep, err := w.Engine.Endpoint(w.ctx(), inst)
	require.NoError(w, err)
	h := guardtest.Hello{ClientID: ep.Topic, Username: ep.Username, Password: ep.Password, KeepAlive: 60, Session: true}
	if how.version == mqtt.V5 {
		h.Properties = binary.BigEndian.AppendUint32([]byte{0x11}, 0xFFFFFFFF) // session expiry: never
	}
	return h
}

func (w world) dial(how way) *guardtest.Client {
	w.Helper()
	if how.ws {
		return guardtest.DialWS(w, how.version, w.WS, nil)
	}
	return guardtest.DialTCP(w, how.version, w.TCP)
}

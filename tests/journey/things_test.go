package journey

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// newThing makes a client of c that is logged in as a thing of its own, whose vendorThingID
// is its name.
func newThing(t *testing.T, c *cloud.Cloud) *traveller {
	tr := stranger(t, c)
	tr.name = fmt.Sprintf("serial-%d", names.Add(1))
	login, err := tr.client.RegisterThing(tr.ctx, tr.name, password)
	require.NoError(t, err)
	require.Equal(t, kiiweb.OwnerThing, login.Owner.Kind)
	return tr
}

// A thing goes the same way as a user: install, connect, receive, be away, come back as a
// program that logs in, uninstall.
func TestThing(t *testing.T) {
	c := cloud.Start(t)
	thing := newThing(t, c)
	inst, endpoint := thing.install()
	thing.send(1, 1)
	conn := thing.connect(endpoint, kiiweb.TransportSSL)
	thing.send(2, 5)
	thing.receives(5)
	require.NoError(t, conn.Close(context.Background()))

	registered, _ := thing.client.Current()
	restarted := stranger(t, c)
	login, err := restarted.client.LoginAsThing(restarted.ctx, thing.name, password)
	require.NoError(t, err)
	assert.Equal(t, registered.Owner, login.Owner)
	thing.send(1, 3) // with the token of its registration, which is good still
	same, endpoint := restarted.install()
	assert.Equal(t, inst, same, "one thing, one installation")
	conn = restarted.connect(endpoint, kiiweb.TransportTCP)
	restarted.receives(3)

	kept := stranger(t, c)
	_, err = kept.client.UseToken(kept.ctx, login.Token, login.Owner)
	require.NoError(t, err)
	require.NoError(t, kept.client.Uninstall(kept.ctx, inst.InstallationRegistrationID, "MQTT"))
	assert.Equal(t, kiiweb.CodeRevoked, restarted.ends(conn).Code)

	_, taken := kept.client.RegisterThing(kept.ctx, thing.name, password)
	assert.Equal(t, kiiweb.CodeConflict, kiiweb.CodeOf(taken), "%v", taken)
	_, wrong := kept.client.LoginAsThing(kept.ctx, thing.name, "not the password")
	assert.Equal(t, kiiweb.CodeBadCredentials, kiiweb.CodeOf(wrong), "%v", wrong)
	_, unknown := kept.client.LoginAsThing(kept.ctx, "no-such-thing", password)
	assert.Equal(t, kiiweb.CodeBadCredentials, kiiweb.CodeOf(unknown), "%v", unknown)
}

// Package desktop stands in for a Linux desktop that shows notifications: a session bus of its own, with the service
// of freedesktop.org's Desktop Notifications Specification on it, to which browsers hand theirs. Tests look at what is
// shown and click on it; a click that a script makes up may not put a window in front.
package desktop

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/stretchr/testify/require"
)

// Desktop is one. Its methods may be called from any goroutine.
type Desktop struct {
	t       testing.TB
	address string
	conn    *dbus.Conn

	mu    sync.Mutex
	last  uint32
	shown []Notification
}

// Notification is what a browser asked to be shown.
type Notification struct {
	ID          uint32
	Title, Body string
}

const (
	name = "org.freedesktop.Notifications"
	path = "/org/freedesktop/Notifications"
)

// Start runs one until t ends.
func Start(t testing.TB) *Desktop {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	require.NoError(t, err, "run `make deps`, which installs it")
	cmd := exec.Command(daemon, "--session", "--nofork", "--nosyslog", "--print-address=1",
		"--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the bus does not start")
	d := &Desktop{t: t, address: strings.TrimSpace(line)}
	d.conn, err = dbus.Connect(d.address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.conn.Close() })
	require.NoError(t, d.conn.Export(service{d}, path, name))
	reply, err := d.conn.RequestName(name, dbus.NameFlagDoNotQueue)
	require.NoError(t, err)
	require.Equal(t, dbus.RequestNameReplyPrimaryOwner, reply)
	return d
}

// Env is the environment variable by which a browser finds it.
func (d *Desktop) Env() string { return "DBUS_SESSION_BUS_ADDRESS=" + d.address }

// Shown are the notifications that were shown so far, in order.
func (d *Desktop) Shown() []Notification {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Notification{}, d.shown...)
}

// Click does what a user's click on a notification does.
func (d *Desktop) Click(id uint32) {
	d.t.Helper()
	require.NoError(d.t, d.conn.Emit(path, name+".ActionInvoked", id, "default"))
}

// service is what browsers call over the bus; the methods have the names and arguments of the specification.
type service struct{ d *Desktop }

func (service) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"actions", "body", "persistence"}, nil
}

func (service) GetServerInformation() (name, vendor, version, spec string, _ *dbus.Error) {
	return "desktop", "kiiweb", "1.0", "1.2", nil
}

func (s service) Notify(_ string, replaces uint32, _, title, body string, _ []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	id := replaces
	if id == 0 {
		s.d.last++
		id = s.d.last
	}
	s.d.shown = append(s.d.shown, Notification{ID: id, Title: title, Body: body})
	return id, nil
}

// CloseNotification says, as it has to, that the notification was closed by a call.
func (s service) CloseNotification(id uint32) *dbus.Error {
	const byCall = uint32(3)
	_ = s.d.conn.Emit(path, name+".NotificationClosed", id, byCall)
	return nil
}

package browser_test

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

// desktop is what shows notifications on a Linux desktop: a session bus with the service of
// freedesktop.org's Desktop Notifications Specification on it. Chromium finds it by address.
type desktop struct {
	address string
	conn    *dbus.Conn

	mu    sync.Mutex
	last  uint32
	shown []shown
}

// shown is a notification that the browser asked for.
type shown struct {
	ID          uint32
	Title, Body string
	Actions     []string // in pairs: key, label
	Replaces    uint32
}

const (
	notificationsName = "org.freedesktop.Notifications"
	notificationsPath = "/org/freedesktop/Notifications"
)

func newDesktop(t *testing.T) *desktop {
	t.Helper()
	daemon, err := exec.LookPath("dbus-daemon")
	require.NoError(t, err, "run `make deps`, which installs it")
	cmd := exec.Command(daemon, "--session", "--nofork", "--nosyslog", "--print-address=1",
		"--address=unix:path="+filepath.Join(t.TempDir(), "bus"))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, "the bus does not start")
	d := &desktop{address: strings.TrimSpace(line)}
	d.conn, err = dbus.Connect(d.address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.conn.Close() })
	require.NoError(t, d.conn.Export(d, notificationsPath, notificationsName))
	reply, err := d.conn.RequestName(notificationsName, dbus.NameFlagDoNotQueue)
	require.NoError(t, err)
	require.Equal(t, dbus.RequestNameReplyPrimaryOwner, reply)
	return d
}

// GetCapabilities is called over the bus, as are the next three.
func (d *desktop) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"actions", "body", "persistence"}, nil
}

// GetServerInformation says who we are.
func (d *desktop) GetServerInformation() (name, vendor, version, spec string, _ *dbus.Error) {
	return "desktop", "kiiweb", "1.0", "1.2", nil
}

// Notify shows a notification.
func (d *desktop) Notify(_ string, replaces uint32, _, title, body string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := replaces
	if id == 0 {
		d.last++
		id = d.last
	}
	d.shown = append(d.shown, shown{ID: id, Title: title, Body: body, Actions: actions, Replaces: replaces})
	return id, nil
}

// CloseNotification takes one away.
func (d *desktop) CloseNotification(id uint32) *dbus.Error {
	_ = d.conn.Emit(notificationsPath, notificationsName+".NotificationClosed", id, uint32(3))
	return nil
}

// click does what a user's click on a notification does.
func (d *desktop) click(t *testing.T, id uint32) {
	t.Helper()
	require.NoError(t, d.conn.Emit(notificationsPath, notificationsName+".ActionInvoked", id, "default"))
}

// all are the notifications that were shown so far.
func (d *desktop) all() []shown {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]shown{}, d.shown...)
}

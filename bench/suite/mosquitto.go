package suite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Mosquitto is a running mosquitto with a configuration of its own: a broker that was
// not written for this, to see that what the replay server shows is not of its making.
type Mosquitto struct {
	Version string

	tcp, web int
	cmd      *exec.Cmd
	folder   string
}

// findMosquitto gives the path of mosquitto, which Debian keeps from PATH; "" when there is none.
func findMosquitto() string {
	for _, name := range []string{"mosquitto", "/usr/sbin/mosquitto"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// mosquittoConfig has it keep everything that a slow client has not taken, on two loopback ports.
const mosquittoConfig = `allow_anonymous true
persistence false
max_queued_messages 0
listener %d 127.0.0.1
listener %d 127.0.0.1
protocol websockets
`

// StartMosquitto runs mosquitto where it is installed; nil means that it is not.
func StartMosquitto(ctx context.Context) (*Mosquitto, error) {
	path := findMosquitto()
	if path == "" {
		return nil, nil
	}
	said, _ := exec.Command(path, "-h").Output() // its exit code is not 0
	m := &Mosquitto{Version: strings.TrimSpace(strings.SplitN(string(said), "\n", 2)[0])}
	var err error
	if m.folder, err = os.MkdirTemp("", "kiiweb-bench-mosquitto-"); err != nil {
		return nil, err
	}
	if m.tcp, err = freePort(); err == nil {
		m.web, err = freePort()
	}
	config := filepath.Join(m.folder, "mosquitto.conf")
	if err == nil {
		err = os.WriteFile(config, fmt.Appendf(nil, mosquittoConfig, m.tcp, m.web), 0o600)
	}
	if err == nil {
		m.cmd = exec.Command(path, "-c", config)
		err = m.cmd.Start()
	}
	if err == nil {
		err = reachable(ctx, m.tcp, m.web)
	}
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("starting mosquitto: %w", err)
	}
	return m, nil
}

// Port is where it speaks MQTT over TCP.
func (m *Mosquitto) Port() int { return m.tcp }

// WebPort is where it speaks MQTT over WebSocket.
func (m *Mosquitto) WebPort() int { return m.web }

// PID is its process's.
func (m *Mosquitto) PID() int { return m.cmd.Process.Pid }

// Close ends it.
func (m *Mosquitto) Close() {
	if m.cmd != nil && m.cmd.Process != nil {
		_ = m.cmd.Process.Signal(os.Interrupt)
		_ = m.cmd.Wait()
	}
	_ = os.RemoveAll(m.folder)
}

// freePort finds a port that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// reachable waits until somebody listens on all ports.
func reachable(ctx context.Context, ports ...int) error {
	for _, port := range ports {
		for {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err == nil {
				_ = conn.Close()
				break
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

// ReceiveFrom has the client receive n messages at QoS 0 that are published to mosquitto over TCP.
func (a *Act) ReceiveFrom(ctx context.Context, m *Mosquitto, payload, n int) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	o := a.stage.options(a.Client, 0)
	o.address = loopback(m.web, replay.Path)
	if err := a.call(ctx, "open", o, nil); err != nil {
		return Received{}, a.wrap(err)
	}
	// The client identifier is its topic, and as long as the replay server's.
	packets, err := replay.Packets(mqtt.V311, o.Topic, payload, n)
	if err != nil {
		return Received{}, err
	}
	size := len(packets)
	if a.Client.Protocol == mqtt.V5 {
		size += n // the empty properties
	}
	e := expectation{Messages: n, Bytes: size, Period: replay.Period, TopicLength: len(o.Topic)}
	got, err := a.measure(ctx, e, false, func() error { return m.publish(packets) })
	return got, a.wrap(errors.Join(err, a.call(ctx, "close", nil, nil)))
}

// publish sends packets over a TCP connection of their own.
func (m *Mosquitto) publish(packets []byte) error {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", m.tcp))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	codec, err := mqtt.NewCodec(mqtt.V311)
	if err != nil {
		return err
	}
	hello, err := codec.Append(nil, &mqtt.Connect{Version: mqtt.V311, ClientID: "publisher", CleanStart: true})
	if err != nil {
		return err
	}
	if _, err := conn.Write(hello); err != nil {
		return err
	}
	var connack [4]byte
	if _, err := conn.Read(connack[:]); err != nil || connack[3] != 0 {
		return fmt.Errorf("mosquitto answers CONNECT with %v: %w", connack, err)
	}
	// DISCONNECT behind them: the broker has read all when it closes.
	bye, err := codec.Append(packets[:len(packets):len(packets)], &mqtt.Disconnect{})
	if err != nil {
		return err
	}
	if _, err := conn.Write(bye); err != nil {
		return err
	}
	_, _ = conn.Read(connack[:])
	return nil
}

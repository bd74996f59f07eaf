package kiicloud

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/internal/syncbuf"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
)

// someone is a user of a cloud, logged in and installed.
type someone struct {
	t      *testing.T
	client *http.Client
	app    string // base URL of the app
	token  string
	id     string // installationID
	end    map[string]any
}

func newcomer(t *testing.T, r Ready, name string) *someone {
	t.Helper()
	p := &someone{t: t, client: newClient(t, r.CA), app: r.API + "/apps/demo"}
	status, _ := call(t, p.client, "POST", p.app+"/users", "", `{"loginName":"`+name+`","password":"password-of-`+name+`"}`)
	require.Equal(t, 201, status)
	status, login := call(t, p.client, "POST", r.API+"/oauth2/token", "", `{"username":"`+name+`","password":"password-of-`+name+`"}`)
	require.Equal(t, 200, status)
	p.token = login["access_token"].(string)
	status, inst := call(t, p.client, "POST", p.app+"/installations", p.token, `{"deviceType":"MQTT","development":false}`)
	require.Equal(t, 201, status)
	p.id = inst["installationID"].(string)
	p.fetchEndpoint()
	return p
}

func (p *someone) fetchEndpoint() {
	p.t.Helper()
	var status int
	status, p.end = call(p.t, p.client, "GET", p.app+"/installations/"+p.id+"/mqtt-endpoint", p.token, "")
	require.Equal(p.t, 200, status, "%v", p.end)
}

// push sends text to the user and gives the pushMessageID.
func (p *someone) push(text string) string {
	p.t.Helper()
	status, res := call(p.t, p.client, "POST", p.app+"/users/me/push/messages", p.token, `{"data":{"m":"`+text+`"},"mqtt":{"enabled":true}}`)
	require.Equal(p.t, 201, status, "%v", res)
	return res["pushMessageID"].(string)
}

// greet connects and subscribes on an open connection.
func (p *someone) greet(c *guardtest.Client, v mqtt.Version) *guardtest.Client {
	p.t.Helper()
	topic := p.end["mqttTopic"].(string)
	c.Send(guardtest.Connect(v, guardtest.Hello{ClientID: topic, Username: p.end["username"].(string), Password: p.end["password"].(string), KeepAlive: 60}))
	require.Equal(p.t, mqtt.Success, c.Expect(mqtt.CONNACK).Code())
	c.Send(guardtest.Subscribe(v, 1, nil, guardtest.Filter{Topic: topic, Options: 1}))
	require.Equal(p.t, []byte{1}, c.Expect(mqtt.SUBACK).Codes(1))
	return c
}

func (p *someone) port(name string) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(p.end[name].(float64))))
}

// received takes the next push, acknowledges it and gives its text.
func received(t *testing.T, c *guardtest.Client) string {
	t.Helper()
	pkt := c.Expect(mqtt.PUBLISH)
	view := pkt.Publish()
	var body struct{ M string }
	require.NoError(t, json.Unmarshal(view.Payload, &body), "%s", view.Payload)
	c.Send(guardtest.Puback(view.PacketID))
	return body.M
}

func TestAPushTravelsOverEveryPort(t *testing.T) {
	var log syncbuf.Buffer
	s := start(t, t.TempDir(), func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r := s.Ready()
	p := newcomer(t, r, "alice")
	assert.Equal(t, "localhost", p.end["host"])
	secure := p.client.Transport.(*http.Transport).TLSClientConfig
	dials := map[string]func(mqtt.Version) *guardtest.Client{
		"tcp": func(v mqtt.Version) *guardtest.Client { return guardtest.DialTCP(t, v, p.port("portTCP")) },
		"ws": func(v mqtt.Version) *guardtest.Client {
			return guardtest.DialWS(t, v, "ws://"+p.port("portWS")+"/mqtt", nil)
		},
		"wss": func(v mqtt.Version) *guardtest.Client {
			return guardtest.DialWS(t, v, "wss://"+p.port("portWSS")+"/mqtt", secure)
		},
	}
	for name, dial := range dials {
		for _, v := range []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5} {
			c := p.greet(dial(v), v)
			p.push(name)
			assert.Equal(t, name, received(t, c))
			require.Eventually(t, func() bool { // else the next connection may be sent it again
				left, err := s.store.Pending(context.Background(), p.id, 0, 1)
				return err == nil && len(left) == 0
			}, time.Minute, time.Millisecond)
			c.HangUp()
		}
	}
	c := p.greet(dials["wss"](mqtt.V5), mqtt.V5)
	status, _ := call(t, p.client, "DELETE", p.app+"/installations/"+p.id, p.token, "")
	require.Equal(t, 204, status)
	assert.Equal(t, mqtt.AdministrativeAction, c.Expect(mqtt.DISCONNECT).Code())
	c.ExpectClosed()
	p.push("to nobody") // accepted, reaches nobody
	stop(t, s)

	text := log.String()
	assert.Contains(t, text, "mqtt-endpoint")
	for _, secret := range []string{p.token, "password-of-alice", p.end["password"].(string), r.ClientSecret, r.AppKey, "to nobody"} {
		assert.NotContains(t, text, secret)
	}
}

func TestShutdownTellsTheClientsAndKeepsWhatIsPending(t *testing.T) {
	onEachStore(t, func(t *testing.T, change func(*Config)) {
		dir := t.TempDir()
		s := start(t, dir, change)
		p := newcomer(t, s.Ready(), "alice")
		c := p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)
		c.Send(guardtest.Frame(0xE0)) // DISCONNECT
		c.ExpectClosed()
		for i := range 5 {
			p.push(strconv.Itoa(i))
		}
		late := guardtest.DialTCP(t, mqtt.V5, p.port("portTCP"))
		p.greet(late, mqtt.V5)
		assert.Equal(t, "0", received(t, late))
		stop(t, s)
		for pkt := late.Next(); pkt.Type() != mqtt.DISCONNECT; pkt = late.Next() {
			assert.Equal(t, mqtt.PUBLISH, pkt.Type())
		}

		r := start(t, dir, change).Ready()
		p.app = r.API + "/apps/demo"
		p.fetchEndpoint()
		c = p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)
		first := received(t, c)
		assert.Contains(t, []string{"0", "1"}, first, "the last acknowledgement may have come too late")
		if first == "0" {
			first = received(t, c)
		}
		for i := 1; i < 5; i++ {
			assert.Equal(t, strconv.Itoa(i), first)
			if i < 4 {
				first = received(t, c)
			}
		}
	})
}

// childDir names the data folder on which a re-executed test binary runs a cloud until it is killed.
const childDir = "KIIWEB_CLOUD_CHILD_DIR"

func runChild(dir string) {
	s, err := Start(context.Background(), config(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	line, _ := json.Marshal(s.Ready())
	fmt.Printf("ready %s\n", line)
	select {}
}

// Every push that was answered with 201 arrives, in order, although the process is
// killed in the middle of accepting more.
func TestAcceptedPushesSurviveKill(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	var r Ready
	require.NoError(t, json.Unmarshal([]byte(strings.TrimPrefix(line, "ready ")), &r))
	p := newcomer(t, r, "alice")

	accepted := make(chan string, 1000)
	go func() { // one sender, so that there is one order
		defer close(accepted)
		for n := 0; n < cap(accepted); n++ {
			req, _ := http.NewRequest("POST", p.app+"/users/me/push/messages", strings.NewReader(`{"data":{"m":"`+strconv.Itoa(n)+`"},"mqtt":{}}`))
			req.Header.Set("X-Kii-AppID", r.AppID)
			req.Header.Set("X-Kii-AppKey", r.AppKey)
			req.Header.Set("Authorization", "bearer "+p.token)
			res, err := p.client.Do(req)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode != 201 {
				return
			}
			accepted <- strconv.Itoa(n)
		}
	}()
	want := []string{}
	for text := range accepted {
		if want = append(want, text); len(want) == 100 {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait()
	require.GreaterOrEqual(t, len(want), 100)

	again := start(t, dir).Ready()
	p.app = again.API + "/apps/demo"
	p.fetchEndpoint()
	c := p.greet(guardtest.DialTCP(t, mqtt.V5, p.port("portTCP")), mqtt.V5)
	for _, text := range want {
		require.Equal(t, text, received(t, c))
	}
}

func TestAFailedStartLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/"+caFile, []byte("rubbish"), 0o600))
	require.NoError(t, os.WriteFile(dir+"/"+caKeyFile, []byte("rubbish"), 0o600))
	_, err := Start(context.Background(), config(dir))
	require.ErrorContains(t, err, caFile)
	require.NoError(t, os.Remove(dir+"/"+caFile))
	require.NoError(t, os.Remove(dir+"/"+caKeyFile))
	start(t, dir) // neither the lock nor a goroutine is left, which the leak check of TestMain sees
}

func TestWithoutAPageTheRestIsJSON(t *testing.T) {
	r := start(t, t.TempDir()).Ready()
	status, body := call(t, newClient(t, r.CA), "GET", r.HTTP+"/", "", "")
	assert.Equal(t, 404, status)
	assert.Equal(t, "NOT_FOUND", body["errorCode"])
}

func TestDoubleSlashesDoNotRedirect(t *testing.T) {
	r := start(t, t.TempDir()).Ready()
	client := newClient(t, r.CA)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	status, body := call(t, client, "GET", r.HTTP+"/api//apps/demo//users//me", "", "")
	assert.Equal(t, 401, status)
	assert.Equal(t, "UNAUTHORIZED", body["errorCode"])
}

// Shutdown that runs out of time still closes the store and ends.
func TestShutdownOutOfTime(t *testing.T) {
	hold := make(chan struct{})
	began := make(chan struct{})
	dir := t.TempDir()
	s := start(t, dir, func(c *Config) {
		c.Page = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(began); <-hold })
	})
	t.Cleanup(func() { close(hold) })
	client := newClient(t, s.Ready().CA)
	gone := make(chan error, 1)
	go func() {
		_, err := client.Get(s.Ready().HTTP + "/slow")
		gone <- err
	}()
	<-began
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
	assert.Error(t, <-gone)
	s.stopErr = nil // known; the clean-up asks again
	start(t, dir)
}

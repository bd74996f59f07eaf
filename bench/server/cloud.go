package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
)

// cloud is the push cloud as a process of its own.
type cloud struct {
	folder string // binary and data
	ready  kiicloud.Ready
	admin  string // token
	cmd    *exec.Cmd
	client *http.Client
}

// buildCloud builds the cloud, which start runs.
func buildCloud(ctx context.Context, root string) (*cloud, error) {
	folder, err := os.MkdirTemp("", "kiiweb-bench-server-")
	if err != nil {
		return nil, err
	}
	c := &cloud{folder: folder, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(folder, "cloud"), "./demo")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		c.remove()
		return nil, fmt.Errorf("building the cloud: %w\n%s", err, said)
	}
	return c, nil
}

// start runs the cloud, with what it has stored before.
func (c *cloud) start(ctx context.Context) error {
	const port, secret = "127.0.0.1:0", "a secret of this run"
	c.cmd = exec.Command(filepath.Join(c.folder, "cloud"), "-http", port, "-https", port, "-mqtt", port, "-mqtts", port,
		"-limit-register", "0", "-admin", "bench:"+secret, "-data", filepath.Join(c.folder, "data"))
	var said bytes.Buffer
	c.cmd.Stderr = &said
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.stop()
		return fmt.Errorf("starting the cloud: %w\n%s", err, said.Bytes())
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "ready ")), &c.ready); err != nil {
		return err
	}
	var token struct {
		Token string `json:"access_token"`
	}
	err = c.do(ctx, http.MethodPost, "/oauth2/token", "", "", map[string]any{"client_id": "bench", "client_secret": secret}, &token)
	c.admin = token.Token
	return err
}

func (c *cloud) stop() {
	if c.cmd == nil {
		return
	}
	c.client.CloseIdleConnections()
	_ = c.cmd.Process.Signal(os.Interrupt)
	_ = c.cmd.Wait()
	c.cmd = nil
}

func (c *cloud) remove() {
	c.stop()
	_ = os.RemoveAll(c.folder)
}

func (c *cloud) app(path string) string { return "/apps/" + c.ready.AppID + path }

// user is somebody without a name, who costs the cloud no password's hash.
type user struct {
	ID           string `json:"userID"`
	Token        string `json:"_accessToken"`
	installation string
}

func (c *cloud) register(ctx context.Context) (u user, err error) {
	err = c.do(ctx, http.MethodPost, c.app("/users"), "", "RegistrationAndAuthorizationRequest", map[string]any{}, &u)
	if err == nil && (u.Token == "" || u.ID == "") {
		err = errors.New("the cloud registers a user without an id or a token")
	}
	return u, err
}

func (c *cloud) install(ctx context.Context, u *user) error {
	var got struct {
		ID string `json:"installationID"`
	}
	err := c.do(ctx, http.MethodPost, c.app("/installations"), u.Token, "InstallationCreationRequest",
		map[string]any{"deviceType": "MQTT", "development": false}, &got)
	u.installation = got.ID
	return err
}

func (c *cloud) endpoint(ctx context.Context, u user) (login, error) {
	var got struct{ Username, Password, MQTTTopic string }
	err := c.do(ctx, http.MethodGet, c.app("/installations/"+u.installation+"/mqtt-endpoint"), u.Token, "", nil, &got)
	return login{got.MQTTTopic, got.Username, got.Password, got.MQTTTopic}, err
}

func (c *cloud) createTopic(ctx context.Context, topic string) error {
	return c.do(ctx, http.MethodPut, c.app("/topics/"+topic), c.admin, "", nil, nil)
}

func (c *cloud) subscribe(ctx context.Context, u user, topic string) error {
	return c.do(ctx, http.MethodPut, c.app("/topics/"+topic+"/push/subscriptions/users/"+u.ID), u.Token, "", nil, nil)
}

// send pushes a message to a topic's subscribers.
func (c *cloud) send(ctx context.Context, topic string) error {
	message := map[string]any{"data": map[string]any{"text": payload}, "mqtt": map[string]any{"enabled": true}}
	return c.do(ctx, http.MethodPost, c.app("/topics/"+topic+"/push/messages"), c.admin, "SendPushMessageRequest", message, nil)
}

// do makes a request. An error holds no more of it than its path.
func (c *cloud) do(ctx context.Context, method, path, token, kind string, body, out any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.ready.API+path, content)
	if err != nil {
		return err
	}
	r.Header.Set("X-Kii-AppID", c.ready.AppID)
	r.Header.Set("X-Kii-AppKey", c.ready.AppKey)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if kind != "" {
		r.Header.Set("Content-Type", "application/vnd.kii."+kind+"+json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	got, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode/100 != 2:
		return fmt.Errorf("%s %s: status %d", method, path, answer.StatusCode)
	case out == nil:
		return nil
	}
	return json.Unmarshal(got, out)
}

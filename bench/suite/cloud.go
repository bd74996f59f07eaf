package suite

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
)

// Cloud is the project's own push cloud, run as its users run it.
type Cloud struct {
	cmd    *exec.Cmd
	folder string
	ready  struct {
		API    string
		AppID  string
		AppKey string
	}
}

// StartCloud builds and runs the cloud on free ports.
func StartCloud(root string) (*Cloud, error) {
	folder, err := os.MkdirTemp("", "kiiweb-bench-cloud-")
	if err != nil {
		return nil, err
	}
	c := &Cloud{folder: folder}
	binary := filepath.Join(folder, "cloud")
	build := exec.Command("go", "build", "-o", binary, "./demo")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		c.Close()
		return nil, fmt.Errorf("building the cloud: %w\n%s", err, said)
	}
	const port = "127.0.0.1:0"
	c.cmd = exec.Command(binary, "-http", port, "-https", port, "-mqtt", port, "-mqtts", port, "-limit-register", "0",
		"-data", filepath.Join(folder, "data"), "-kiiweb", filepath.Join(root, "js", "dist"))
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err == nil {
		var line string
		line, err = bufio.NewReader(out).ReadString('\n')
		if err == nil {
			err = json.Unmarshal([]byte(strings.TrimPrefix(line, "ready ")), &c.ready)
		}
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("starting the cloud: %w", err)
	}
	return c, nil
}

// Close ends it.
func (c *Cloud) Close() {
	if c.cmd != nil && c.cmd.Process != nil {
		_ = c.cmd.Process.Signal(os.Interrupt)
		_ = c.cmd.Wait()
	}
	_ = os.RemoveAll(c.folder)
}

// account is a user with an endpoint.
type account struct {
	cloud    *Cloud
	token    string
	endpoint struct {
		Username, Password, MQTTTopic, Host string
		PortWS                              int
	}
}

// account registers a user for push.
func (c *Cloud) account(ctx context.Context, name string) (*account, error) {
	a := &account{cloud: c}
	password := "bench-" + name
	var user, installation struct {
		Token string `json:"_accessToken"`
		ID    string `json:"installationID"`
	}
	app := "/apps/" + c.ready.AppID
	err := a.post(ctx, app+"/users", "RegistrationAndAuthorizationRequest", map[string]any{"loginName": name, "password": password}, &user)
	if err != nil {
		return nil, err
	}
	a.token = user.Token
	if a.token == "" {
		var login struct {
			Token string `json:"access_token"`
		}
		if err := a.post(ctx, "/oauth2/token", "", map[string]any{"username": name, "password": password}, &login); err != nil {
			return nil, err
		}
		a.token = login.Token
	}
	err = a.post(ctx, app+"/installations", "InstallationCreationRequest",
		map[string]any{"deviceType": "MQTT", "development": false}, &installation)
	if err != nil {
		return nil, err
	}
	return a, a.do(ctx, http.MethodGet, app+"/installations/"+installation.ID+"/mqtt-endpoint", "", nil, &a.endpoint)
}

// push sends message number n to the user.
func (a *account) push(ctx context.Context, n int) error {
	message := map[string]any{"data": map[string]any{"n": n, "text": "hello"}, "mqtt": map[string]any{"enabled": true}}
	return a.post(ctx, "/apps/"+a.cloud.ready.AppID+"/users/me/push/messages", "SendPushMessageRequest", message, nil)
}

func (a *account) post(ctx context.Context, path, kind string, body, out any) error {
	return a.do(ctx, http.MethodPost, path, kind, body, out)
}

// do makes a request of Kii's REST API. An error never holds more of it than its path.
func (a *account) do(ctx context.Context, method, path, kind string, body, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, a.cloud.ready.API+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("X-Kii-AppID", a.cloud.ready.AppID)
	r.Header.Set("X-Kii-AppKey", a.cloud.ready.AppKey)
	r.Header.Set("Content-Type", "application/json")
	if kind != "" {
		r.Header.Set("Content-Type", "application/vnd.kii."+kind+"+json")
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	answer, err := http.DefaultClient.Do(r)
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

// ReceivePushes has the client receive n pushes from the cloud at QoS 1, sent one after the
// other through its REST API.
func (a *Act) ReceivePushes(ctx context.Context, c *Cloud, n int) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	user, err := c.account(ctx, fmt.Sprintf("user%d-%d", a.stage.names, time.Now().UnixNano()))
	if err != nil {
		return Received{}, err
	}
	o := a.stage.options(a.Client, 1)
	o.address = loopback(user.endpoint.PortWS, "/mqtt")
	o.Username, o.Password = user.endpoint.Username, user.endpoint.Password
	o.ID, o.Topic = user.endpoint.MQTTTopic, user.endpoint.MQTTTopic
	if err := a.call(ctx, "open", o, nil); err != nil {
		return Received{}, a.wrap(err)
	}
	e := expectation{Messages: n, Period: n + 1, TopicLength: len(o.Topic), JSON: true}
	got, err := a.measure(ctx, e, false, func() error {
		for i := range n {
			if err := user.push(ctx, i); err != nil {
				return err
			}
		}
		return nil
	})
	return got, a.wrap(errors.Join(err, a.call(ctx, "close", nil, nil)))
}

package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// rest sends requests to a cloud that may vanish at any moment, from any goroutine.
type rest struct {
	cloud *cloud.Cloud
	http  *http.Client
}

func newRest(c *cloud.Cloud) *rest {
	return &rest{c, &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}}
}

// call gives status and body. An error means that nothing is known about the outcome.
func (r *rest) call(ctx context.Context, method, path, token string, body any) (int, map[string]any, error) {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.cloud.Ready.API+"/apps/"+r.cloud.Ready.AppID+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Kii-AppID", r.cloud.Ready.AppID)
	req.Header.Set("X-Kii-AppKey", r.cloud.Ready.AppKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := r.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	out := map[string]any{}
	if err == nil && len(all) > 0 {
		err = json.Unmarshal(all, &out)
	}
	return res.StatusCode, out, err
}

// endpoint is what is needed to connect.
type endpoint struct{ username, password, topic string }

func (r *rest) endpoint(ctx context.Context, token, installation string) (e endpoint, status int, err error) {
	status, body, err := r.call(ctx, "GET", "/installations/"+installation+"/mqtt-endpoint", token, nil)
	e.username, _ = body["username"].(string)
	e.password, _ = body["password"].(string)
	e.topic, _ = body["mqttTopic"].(string)
	return e, status, err
}

// mqttConn is one MQTT 5 connection.
type mqttConn struct {
	net.Conn
	split *mqtt.Splitter
}

// refused is a CONNACK that does not let the client in.
type refused struct{ code mqtt.ReasonCode }

func (r refused) Error() string { return fmt.Sprintf("CONNACK %#x", int(r.code)) }

// dial connects and subscribes.
func (r *rest) dial(e endpoint) (*mqttConn, error) {
	conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(r.cloud.Ready.PortTCP)), time.Minute)
	if err != nil {
		return nil, err
	}
	c := &mqttConn{conn, mqtt.NewSplitter(0)}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	hello := guardtest.Hello{ClientID: e.topic, Username: e.username, Password: e.password, KeepAlive: 60}
	if err := c.handshake(guardtest.Connect(mqtt.V5, hello), mqtt.CONNACK); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	err = c.handshake(guardtest.Subscribe(mqtt.V5, 1, nil, guardtest.Filter{Topic: e.topic, Options: 1}), mqtt.SUBACK)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

func (c *mqttConn) handshake(send []byte, answer mqtt.Type) error {
	if _, err := c.Write(send); err != nil {
		return err
	}
	pkt, err := c.next()
	if err != nil {
		return err
	}
	if pkt.Type() != answer {
		return fmt.Errorf("%v instead of %v", pkt.Type(), answer)
	}
	if code := pkt.Code(); answer == mqtt.CONNACK && code != mqtt.Success {
		return refused{code}
	}
	return nil
}

// next is the next packet.
func (c *mqttConn) next() (guardtest.Packet, error) {
	for {
		b, err := c.split.Next()
		if err != nil || b != nil {
			return guardtest.Packet{Version: mqtt.V5, Bytes: b}, err
		}
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		if n == 0 && err != nil {
			return guardtest.Packet{}, err
		}
		c.split.Feed(buf[:n])
	}
}

//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/kiiweb/kiiweb/internal/mqtt"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/guard/guardtest"
	"github.com/kiiweb/kiiweb/tests/cloud"
)

// owner is a user with an installation, and with a connection that acknowledges all, or nothing.
type owner struct {
	cloud        *cloud.Cloud
	id, token    string
	installation string
	mute         bool            // acknowledges nothing
	hello        guardtest.Hello // with which it connects
	conn         net.Conn
	received     atomic.Int64
	done         chan struct{}
}

// call calls a cloud's API as the owner.
func (o *owner) call(c *cloud.Cloud, method, path string, body any) (map[string]any, error) {
	status, answer, err := call(context.Background(), c, o.token, method, path, body)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("%s %s: %d %v", method, path, status, answer)
	}
	return answer, err
}

func (o *owner) install() error {
	answer, err := o.call(o.cloud, http.MethodPost, "/installations", map[string]any{"deviceType": "MQTT", "development": false})
	o.installation, _ = answer["installationID"].(string)
	return err
}

func (o *owner) push(c *cloud.Cloud) error {
	_, err := o.call(c, http.MethodPost, "/users/me/push/messages", map[string]any{"data": map[string]any{"text": "a push of usual length, as many apps send it"}, "mqtt": map[string]any{}})
	return err
}

// connect fetches the endpoint and connects to one of the nodes.
func (o *owner) connect(s *stage, i int) error {
	end, err := o.call(o.cloud, http.MethodGet, "/installations/"+o.installation+"/mqtt-endpoint", nil)
	if err != nil {
		return err
	}
	text := func(key string) string { v, _ := end[key].(string); return v }
	o.hello = guardtest.Hello{
		ClientID: text("mqttTopic"), Username: text("username"), Password: text("password"), KeepAlive: 3600,
		Session: true, Properties: []byte{0x11, 0, 0, 0x0e, 0x10}, // for an hour
	}
	return o.dial(s, i)
}

// dial connects with the endpoint that connect has fetched, as clients do whose node has died.
func (o *owner) dial(s *stage, i int) error {
	var err error
	o.conn, err = net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.nodes[i%size].MQTT))
	if err != nil {
		return err
	}
	split, ready := mqtt.NewSplitter(0), make(chan error, 1)
	o.done = make(chan struct{})
	if _, err := o.conn.Write(guardtest.Connect(mqtt.V5, o.hello)); err != nil {
		return err
	}
	go o.receive(split, o.hello.ClientID, ready)
	select {
	case err := <-ready:
		return err
	case <-time.After(patience):
		return errors.New("no answer from the node")
	}
}

// receive subscribes, and acknowledges what comes, until the connection ends.
func (o *owner) receive(split *mqtt.Splitter, topic string, ready chan<- error) {
	defer close(o.done)
	buf := make([]byte, 1024)
	for {
		b, err := split.Next()
		if err == nil && b == nil {
			var n int
			n, err = o.conn.Read(buf)
			split.Feed(buf[:n])
			if n > 0 {
				continue
			}
		}
		if err != nil {
			ready <- err // nobody takes it where all was well before
			return
		}
		switch pkt := (guardtest.Packet{Version: mqtt.V5, Bytes: b}); pkt.Type() {
		case mqtt.CONNACK:
			if code := pkt.Code(); code != mqtt.Success {
				ready <- fmt.Errorf("CONNACK %#x", int(code))
				return
			}
			_, _ = o.conn.Write(guardtest.Subscribe(mqtt.V5, 1, nil, guardtest.Filter{Topic: topic, Options: 1}))
		case mqtt.SUBACK:
			ready <- nil
		case mqtt.PUBLISH:
			o.received.Add(1)
			if !o.mute {
				_, _ = o.conn.Write(guardtest.Puback(pkt.Publish().PacketID))
			}
		}
	}
}

func (o *owner) close() {
	if o.conn != nil {
		_ = o.conn.Close()
		<-o.done
	}
}

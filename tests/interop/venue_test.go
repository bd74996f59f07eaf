package interop

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
	"github.com/kiiweb/kiiweb/tests/cloud"
	"github.com/kiiweb/kiiweb/tests/interop/brokers"
	"github.com/kiiweb/kiiweb/tests/interop/peer"
)

// venue is a broker, and what the scenarios have to know of it.
type venue interface {
	about() (name, version string)
	path() string // of the WebSocket
	// arrive gives an account of its own, and who talks to it there.
	arrive(t testing.TB) (kiiweb.Endpoint, counterpart)
	// restart ends the broker and starts it again.
	restart(t testing.TB)
}

// counterpart is the other end of a conversation with our client.
type counterpart interface {
	// publish sends to our client, in order. The answer is yes, or why not.
	publish(qos byte, retain bool, topic string, payloads ...string) outcome
	// hears subscribes; messages are what came.
	hears(filter string, qos byte)
	messages() []peer.Message
}

// public is a broker at which everybody may use every topic.
type public struct{ *brokers.Broker }

var names atomic.Int64

// fresh makes a name that was not used before.
func fresh(what string) string { return fmt.Sprintf("%s-%d", what, names.Add(1)) }

func (p public) about() (name, version string) { return p.Name, p.Version }
func (p public) path() string                  { return p.Path }

func (p public) arrive(t testing.TB) (kiiweb.Endpoint, counterpart) {
	e := kiiweb.Endpoint{
		Username: p.Username, Password: p.Password, MQTTTopic: fresh("kiiweb"),
		Host: "127.0.0.1", PortTCP: p.TCP, PortWS: p.WS,
	}
	return e, stranger{peer.Connect(t, p.Broker, fresh("peer"))}
}

// stranger is another MQTT client.
type stranger struct{ *peer.Peer }

func (s stranger) publish(qos byte, retain bool, topic string, payloads ...string) outcome {
	s.Publish(qos, retain, topic, payloads...)
	return yes
}

func (s stranger) hears(filter string, qos byte) { s.Subscribe(filter, qos) }
func (s stranger) messages() []peer.Message      { return s.Messages() }

// private is the local cloud: everybody has one topic, and pushes come over REST.
type private struct{ *brokers.Cloud }

func (p private) about() (name, version string) { return "local cloud", kiiweb.Version }
func (p private) path() string                  { return "" }

func (p private) arrive(t testing.TB) (kiiweb.Endpoint, counterpart) {
	u, e := p.Endpoint(t)
	return e, &sender{t: t, cloud: p.Cloud, user: u}
}

// sender pushes over REST. The payloads are JSON objects in the form that Go gives them.
type sender struct {
	t     testing.TB
	cloud *brokers.Cloud
	user  cloud.User
}

func (s *sender) publish(_ byte, retain bool, _ string, payloads ...string) outcome {
	s.t.Helper()
	if retain {
		return notOffered
	}
	for _, payload := range payloads {
		var data map[string]any
		if payload == "" {
			return notOffered
		}
		require.NoError(s.t, json.Unmarshal([]byte(payload), &data))
		if status, code := s.cloud.Push(s.user, data); status != http.StatusCreated {
			return outcome(code)
		}
	}
	return yes
}

// offer pushes one payload and tells whether it was accepted.
func (s *sender) offer(payload string) bool {
	var data map[string]any
	if json.Unmarshal([]byte(payload), &data) != nil {
		return false
	}
	s.cloud.Restarting.RLock()
	defer s.cloud.Restarting.RUnlock()
	return s.cloud.Offer(s.user, data)
}

func (s *sender) hears(string, byte) {
	require.Fail(s.t, "nobody but the owner hears a topic of the local cloud")
}

func (s *sender) messages() []peer.Message { return nil }

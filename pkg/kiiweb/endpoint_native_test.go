//go:build !js

package kiiweb

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const endpointBody = `{"installationID":"inst-1","username":"un","password":"pw","mqttTopic":"topic-1","host":"localhost",` +
	`"portTCP":1883,"portSSL":8883,"portWS":12470,"portWSS":12473,"X-MQTT-TTL":2147483647}`

var notReady = reply{status: 503, header: map[string]string{"Retry-After": "9"},
	body: `{"errorCode":"MQTT_ENDPOINT_NOT_READY","message":"not yet","retryAfter":9}`}

// pauses records the pauses of c in place of making them.
func pauses(c *Client) *[]time.Duration {
	var made []time.Duration
	c.pause = func(ctx context.Context, d time.Duration) error {
		made = append(made, d)
		return ctx.Err()
	}
	return &made
}

func TestMQTTEndpoint(t *testing.T) {
	s := serve(t, reply{status: 200, body: endpointBody})
	e, err := s.client().MQTTEndpoint(context.Background(), "inst-1")
	require.NoError(t, err)
	assert.Equal(t, Endpoint{
		InstallationID: "inst-1", Username: "un", Password: "pw", MQTTTopic: "topic-1", Host: "localhost",
		PortTCP: 1883, PortSSL: 8883, PortWS: 12470, PortWSS: 12473,
		TTL: 2147483647 * time.Second, FetchedAt: noon,
	}, e)
	assert.Equal(t, noon.Add(2147483647*time.Second), e.expires())
	assert.True(t, e.expires().After(noon.AddDate(68, 0, 0)), "2147483647 s are 68 years, not the past")
	assert.Equal(t, "GET /api/apps/app-1/installations/inst-1/mqtt-endpoint", s.seen()[0].method+" "+s.seen()[0].uri)
}

func TestMQTTEndpointWaitsUntilReady(t *testing.T) {
	s := serve(t, notReady, notReady, reply{status: 200, body: endpointBody})
	c := s.client()
	made := pauses(c)
	e, err := c.MQTTEndpoint(context.Background(), "inst-1")
	require.NoError(t, err)
	assert.Equal(t, "topic-1", e.MQTTTopic)
	assert.Equal(t, []time.Duration{time.Second, time.Second}, *made)
}

func TestMQTTEndpointNeverReady(t *testing.T) {
	s := serve(t, notReady, reply{status: 503, body: "<html>down</html>"}, notReady)
	c := s.client()
	made := pauses(c)
	_, err := c.MQTTEndpoint(context.Background(), "inst-1")
	e := fails(t, err, CodeEndpointNotReady, "503 MQTT_ENDPOINT_NOT_READY: not yet")
	assert.Equal(t, 503, e.Status)
	assert.Equal(t, "MQTT_ENDPOINT_NOT_READY", e.KiiCode)
	assert.Equal(t, "not yet", e.KiiMessage)
	assert.Equal(t, 9, e.RetryAfter)
	assert.True(t, e.Retryable)
	assert.Equal(t, []time.Duration{time.Second, time.Second}, *made, "three requests, two pauses")
}

func TestMQTTEndpointStopsAtOtherErrors(t *testing.T) {
	for name, status := range map[string]int{"gone": 404, "broken": 500} {
		t.Run(name, func(t *testing.T) {
			c := serve(t, notReady, reply{status: status}).client()
			made := pauses(c)
			_, err := c.MQTTEndpoint(context.Background(), "inst-1")
			require.Error(t, err)
			assert.NotEqual(t, CodeEndpointNotReady, CodeOf(err))
			assert.Len(t, *made, 1)
		})
	}
}

func TestMQTTEndpointCancelledInBetween(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c := serve(t, notReady).client()
	c.pause = func(ctx context.Context, d time.Duration) error {
		cancel()
		return pause(ctx, d+time.Hour)
	}
	_, err := c.MQTTEndpoint(ctx, "inst-1")
	fails(t, err, CodeAborted, "get mqtt endpoint")
	assert.ErrorIs(t, err, context.Canceled)
}

func TestMQTTEndpointTTL(t *testing.T) {
	without := strings.Replace(endpointBody, `,"X-MQTT-TTL":2147483647`, "", 1)
	with := func(ttl string) string { return strings.Replace(endpointBody, "2147483647", ttl, 1) }
	for _, c := range []struct {
		name, header, body string
		want               time.Duration
	}{
		{"body", "", with("60"), time.Minute},
		{"header", "90", without, 90 * time.Second},
		{"body before header", "90", with("60"), time.Minute},
		{"largest of 32 bits in the header", "2147483647", without, 2147483647 * time.Second},
		{"more than a Duration holds", "", with("1e18"), math.MaxInt64},
		{"for ever", "", with("0"), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, reply{status: 200, header: map[string]string{"X-MQTT-TTL": c.header}, body: c.body})
			e, err := s.client().MQTTEndpoint(context.Background(), "i")
			require.NoError(t, err)
			assert.Equal(t, c.want, e.TTL)
			if c.want > 0 {
				assert.True(t, e.expires().After(noon))
			} else {
				assert.True(t, e.expires().IsZero())
			}
		})
	}
}

func TestMQTTEndpointBadResponses(t *testing.T) {
	change := func(from, to string) string {
		out := strings.Replace(endpointBody, from, to, 1)
		if out == endpointBody {
			panic(errors.New("nothing replaced: " + from))
		}
		return out
	}
	for _, c := range []struct{ name, body, field string }{
		{"no username", change(`"username":"un",`, ``), "username"},
		{"password is a number", change(`"pw"`, `1`), "password"},
		{"empty topic", change(`"topic-1"`, `""`), "mqttTopic"},
		{"no host", change(`"host":"localhost",`, ``), "host"},
		{"host is a URL", change(`"localhost"`, `"localhost/evil"`), "host"},
		{"host hides another", change(`"localhost"`, `"localhost@evil.example"`), "host"},
		{"host with port", change(`"localhost"`, `"localhost:1"`), "host"},
		{"no portWSS", change(`"portWSS":12473,`, ``), "portWSS"},
		{"port is text", change(`1883`, `"1883"`), "portTCP"},
		{"port is a fraction", change(`8883`, `88.5`), "portSSL"},
		{"large port", change(`12470`, `65536`), "portWS"},
		{"negative port", change(`12470`, `-1`), "portWS"},
		{"no installation", change(`"installationID":"inst-1",`, ``), "installationID"},
		{"no TTL", change(`,"X-MQTT-TTL":2147483647`, ``), "X-MQTT-TTL"},
		{"TTL is text", change(`2147483647`, `"1"`), "X-MQTT-TTL"},
		{"negative TTL", change(`2147483647`, `-1`), "X-MQTT-TTL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := serve(t, reply{status: 200, body: c.body}).client().MQTTEndpoint(context.Background(), "i")
			fails(t, err, CodeBadResponse, "the field "+c.field+" ")
			assert.NotContains(t, err.Error(), "pw")
		})
	}
	t.Run("TTL in the header is no number", func(t *testing.T) {
		s := serve(t, reply{status: 200, header: map[string]string{"X-MQTT-TTL": "soon"}, body: change(`,"X-MQTT-TTL":2147483647`, ``)})
		_, err := s.client().MQTTEndpoint(context.Background(), "i")
		fails(t, err, CodeBadResponse, "X-MQTT-TTL")
	})
}

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/bench/cloud"
	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// The servers' names in tables.
const (
	ours   = "kiiweb's cloud"
	theirs = "mosquitto"
)

// payload is what a message says: 64 bytes.
var payload = strings.Repeat("0123456789abcdef", 4)

// crowds are how many have subscribed to a topic.
var crowds = []int{10, 100, 1000}

// requests are how many of a kind are timed together, inRow how many messages are sent one after the other.
const (
	requests = 400
	inRow    = 20
)

// runner holds what a run needs.
type runner struct {
	o       options
	say     func(format string, args ...any)
	cloud   *cloud.Cloud
	admin   string // token
	users   []cloud.User
	logins  []login // of users
	results *report.Results
}

// measure makes a run.
func measure(ctx context.Context, root string, o options, stderr io.Writer) (*report.Results, error) {
	began := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, "bench-server: %6s  %s\n", time.Since(began).Round(time.Second), fmt.Sprintf(format, args...))
	}
	const admin, secret = "bench", "a secret of this run"
	c, err := cloud.Build(ctx, root, "-admin", admin+":"+secret)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	r := &runner{o: o, say: say, cloud: c, results: &report.Results{Rounds: o.rounds, Clients: []string{ours, theirs}, Subjects: []string{ours}}}
	load, _ := os.ReadFile("/proc/loadavg")
	if err := c.Start(); err != nil {
		return nil, err
	}
	if r.admin, err = c.Admin(ctx, admin, secret); err != nil {
		return nil, c.Explain(err)
	}
	say("registering %d users", o.connections)
	if err := r.populate(ctx); err != nil {
		return nil, c.Explain(err)
	}
	version := "not installed"
	for round := range o.rounds {
		if version, err = r.round(ctx, round+1); err != nil {
			return nil, c.Explain(err)
		}
	}
	r.results.Facts = []report.Fact{
		{Name: "Go", Value: runtime.Version()},
		{Name: theirs, Value: version + "; in memory, as it comes"},
		{Name: ours, Value: "SQLite, synchronous: a message is on the disk before its sender is answered"},
		{Name: "machine", Value: fmt.Sprintf("%d cores, which the server, the subscribers and the sender share", runtime.NumCPU())},
		{Name: "rounds", Value: strconv.Itoa(o.rounds)},
		{Name: "load average at the start", Value: busy(string(load))},
		{Name: "the run took", Value: time.Since(began).Round(time.Second).String()},
	}
	return r.results, nil
}

// busy says so where the machine did other things.
func busy(loadavg string) string {
	average, _, _ := strings.Cut(loadavg, " ")
	if v, err := strconv.ParseFloat(average, 64); err == nil && v > 0.5 {
		return average + ": **the machine was busy with other things**, so these numbers say little"
	}
	return average
}

// populate registers everybody for push, and has the first of them subscribe to a topic for each crowd.
func (r *runner) populate(ctx context.Context) error {
	r.users, r.logins = make([]cloud.User, r.o.connections), make([]login, r.o.connections)
	err := inParallel(len(r.users), 8, func(i int) (err error) {
		u := &r.users[i]
		if *u, err = r.cloud.Register(ctx); err == nil {
			err = r.cloud.Install(ctx, u)
		}
		if err == nil {
			var e cloud.Endpoint
			e, err = r.cloud.Endpoint(ctx, *u)
			r.logins[i] = login{e.MQTTTopic, e.Username, e.Password, e.MQTTTopic}
		}
		return err
	})
	for _, n := range crowds {
		n = min(n, len(r.users))
		if err == nil {
			err = r.cloud.CreateTopic(ctx, r.admin, topicOf(n))
		}
		if err == nil {
			err = inParallel(n, 8, func(i int) error { return r.cloud.Subscribe(ctx, r.users[i], topicOf(n)) })
		}
	}
	return err
}

func topicOf(n int) string { return "crowd" + strconv.Itoa(n) }

// round measures everything once, one server after the other in each part.
func (r *runner) round(ctx context.Context, number int) (mosquitto string, err error) {
	start, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	m, err := suite.StartMosquitto(start)
	if err != nil {
		return "", err
	}
	mosquitto = "not installed"
	if m != nil {
		defer m.Close()
		mosquitto = m.Version
	}
	// A fresh process: what earlier rounds have left in its memory is not this one's.
	r.cloud.Stop()
	if err := r.cloud.Start(); err != nil {
		return mosquitto, err
	}
	r.say("round %d of %d: REST", number, r.o.rounds)
	if err := r.rest(ctx); err != nil {
		return mosquitto, err
	}
	// Idle connections before fan-outs, which leave memory behind.
	r.say("round %d of %d: idle connections", number, r.o.rounds)
	r.cloud.Stop()
	if err := r.cloud.Start(); err != nil {
		return mosquitto, err
	}
	if err := r.idle(ctx, ours, overTCP(r.cloud.Ready.PortTCP), r.cloud.PID(), r.logins); err != nil {
		return mosquitto, err
	}
	r.cloud.Stop()
	if err := r.cloud.Start(); err != nil {
		return mosquitto, err
	}
	if err := r.idle(ctx, ours, overWebSocket(r.cloud.Ready.PortWS), r.cloud.PID(), r.logins); err != nil {
		return mosquitto, err
	}
	if m != nil {
		for _, over := range []func(*suite.Mosquitto) way{
			func(m *suite.Mosquitto) way { return overTCP(m.Port()) },
			func(m *suite.Mosquitto) way { return overWebSocket(m.WebPort()) },
		} {
			if err := r.idleOf(ctx, over); err != nil {
				return mosquitto, err
			}
		}
	}
	r.say("round %d of %d: fan-out", number, r.o.rounds)
	for _, n := range crowds {
		n = min(n, len(r.users))
		if err := r.fanOut(ctx, ours, overTCP(r.cloud.Ready.PortTCP), r.logins[:n], func() error {
			return r.cloud.SendToTopic(ctx, r.admin, topicOf(n), map[string]any{"text": payload})
		}); err != nil {
			return mosquitto, err
		}
		if m != nil {
			if err := r.fanOutFrom(ctx, m, n); err != nil {
				return mosquitto, err
			}
		}
	}
	return mosquitto, nil
}

// anonymous are as many subscribers as there are users, of one topic.
func (r *runner) anonymous(topic string) []login {
	logins := make([]login, len(r.users))
	for i := range logins {
		logins[i] = login{id: fmt.Sprintf("bench-%08d", i), topic: topic}
	}
	return logins
}

// rest is how fast requests are answered.
func (r *runner) rest(ctx context.Context) error {
	fresh := make([]cloud.User, requests)
	steps := []struct {
		kase string
		do   func(i int) error
	}{
		{"register a user without a name", func(i int) (err error) { fresh[i], err = r.cloud.Register(ctx); return err }},
		{"installMqtt, the first of a user", func(i int) error { return r.cloud.Install(ctx, &fresh[i]) }},
		{"installMqtt, once more", func(i int) error { return r.cloud.Install(ctx, &fresh[i]) }},
		{"getMqttEndpoint", func(i int) error { _, err := r.cloud.Endpoint(ctx, fresh[i]); return err }},
	}
	for _, s := range steps {
		began := time.Now()
		if err := inParallel(requests, 8, s.do); err != nil {
			return fmt.Errorf("%s: %w", s.kase, err)
		}
		r.results.Add(restRate, s.kase, ours, requests/time.Since(began).Seconds())
	}
	return nil
}

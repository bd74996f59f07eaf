package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// idle is what connections cost that do nothing.
func (r *runner) idle(ctx context.Context, server string, way way, pid int, logins []login) error {
	kase := report.Commas(len(logins)) + " connections over " + way.name + ", subscribed"
	before, err := resident(pid)
	if err != nil {
		return err
	}
	began := time.Now()
	clients, err := connectAll(ctx, way, logins, make(chan struct{}, len(logins)))
	if err != nil {
		return fmt.Errorf("%s: %w", server, err)
	}
	defer closeAll(clients)
	r.results.Add(connectRate, kase, server, float64(len(logins))/time.Since(began).Seconds())
	spent, err := processor(pid)
	if err != nil {
		return err
	}
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return ctx.Err()
	}
	later, err := processor(pid)
	if err != nil {
		return err
	}
	after, err := resident(pid)
	if err != nil {
		return err
	}
	for _, c := range clients {
		select {
		case <-c.done:
			return fmt.Errorf("%s has closed an idle connection", server)
		default:
		}
	}
	r.results.Add(idleMemory, kase, server, float64(after-before)/1024/float64(len(logins)))
	r.results.Add(idleProcess, kase, server, float64(after)/(1<<20))
	r.results.Add(idleCPU, kase, server, (later-spent).Seconds()*1000)
	return nil
}

// idleOf is the same of a fresh mosquitto.
func (r *runner) idleOf(ctx context.Context, over func(*suite.Mosquitto) way) error {
	m, err := suite.StartMosquitto(ctx)
	if err != nil || m == nil {
		return err
	}
	defer m.Close()
	return r.idle(ctx, theirs, over(m), m.PID(), r.anonymous("idle"))
}

// fanOut is how one message comes to many, and then how several in a row do.
func (r *runner) fanOut(ctx context.Context, server string, way way, logins []login, send func() error) error {
	kase := report.Commas(len(logins)) + " subscribers, QoS 1"
	got := make(chan struct{}, (inRow+2)*len(logins))
	clients, err := connectAll(ctx, way, logins, got)
	if err != nil {
		return fmt.Errorf("%s: %w", server, err)
	}
	defer closeAll(clients)
	if _, err := spread(ctx, 1, len(logins), got, send); err != nil { // warm
		return fmt.Errorf("%s, %s: %w", server, kase, err)
	}
	one, err := spread(ctx, 1, len(logins), got, send)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", server, kase, err)
	}
	many, err := spread(ctx, inRow, len(logins), got, send)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", server, kase, err)
	}
	r.results.Add(fanOutTime, kase, server, one.Seconds()*1000)
	r.results.Add(fanOutRate, kase, server, float64(inRow*len(logins))/many.Seconds())
	return nil
}

// spread sends messages and takes the time until everybody has all of them.
func spread(ctx context.Context, messages, receivers int, got <-chan struct{}, send func() error) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	began := time.Now()
	sent := make(chan error, 1)
	go func() {
		var err error
		for n := 0; n < messages && err == nil; n++ {
			err = send()
		}
		sent <- err
	}()
	for n := 0; n < messages*receivers; {
		select {
		case <-got:
			n++
		case err := <-sent:
			if err != nil {
				return 0, err
			}
			sent = nil // all are on their way
		case <-ctx.Done():
			return 0, errors.Join(fmt.Errorf("%d of %d deliveries: %w", n, messages*receivers, ctx.Err()), result(sent))
		}
	}
	took := time.Since(began)
	return took, result(sent)
}

// result waits for how it went, unless that is known to be well: nil.
func result(sent <-chan error) error {
	if sent == nil {
		return nil
	}
	return <-sent
}

// fanOutFrom is the same from mosquitto, to which a client of its own publishes.
func (r *runner) fanOutFrom(ctx context.Context, m *suite.Mosquitto, n int) error {
	publisher, err := dial(ctx, overTCP(m.Port()), login{id: "publisher"}, nil)
	if err != nil {
		return err
	}
	defer publisher.close()
	topic := topicOf(n)
	var id uint16
	return r.fanOut(ctx, theirs, overTCP(m.Port()), r.anonymous(topic)[:n], func() error {
		id++
		return publisher.send(&mqtt.Publish{QoS: 1, PacketID: id, Topic: topic, Payload: []byte(`{"text":"` + payload + `"}`)})
	})
}

// resident gives the memory of a process that is in RAM, in bytes.
func resident(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			return kib << 10, err
		}
	}
	return 0, errors.New("the system does not tell a process's memory")
}

// processor gives the processor time that a process has used.
func processor(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("the system does not tell a process's time")
	}
	user, err := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // Linux tells hundredths of a second
	return time.Duration(user+system) * tick, errors.Join(err, err2)
}

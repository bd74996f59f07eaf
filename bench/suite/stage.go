// Package suite puts the clients on the stage, one beside the other, and measures them.
package suite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/kiiweb/kiiweb/bench/browser"
	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/site"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// Client is one of those that are compared.
type Client struct {
	Name     string // in tables
	Page     string
	Where    string       // the host of kiiweb: "main" or "worker"; "" for all others
	Protocol mqtt.Version // that it speaks here: what it does by default
	// Reads tells that it parses messages, and so can take part in more than receiving: what
	// does not answers frames of messages without a look at them. Mark tells
	// that it is a mark to measure by and no client.
	Reads, Mark bool
	// Whole tells that packets must not go on in the next frame.
	Whole bool
	// Before tells that it is another build of kiiweb, to be compared with this one.
	Before bool
	// Uniform tells that all messages must be of one size, as only the replay server's are.
	Uniform bool
}

// Clients gives all of them; kiiweb comes first, in both places where its module can run, the marks last.
func Clients() []Client {
	return []Client{
		{Name: "kiiweb (main)", Page: "kiiweb", Where: "main", Protocol: mqtt.V5, Reads: true},
		{Name: "kiiweb (worker)", Page: "kiiweb", Where: "worker", Protocol: mqtt.V5, Reads: true},
		{Name: "MQTT.js", Page: "mqttjs", Protocol: mqtt.V311, Reads: true},
		{Name: "Paho", Page: "paho", Protocol: mqtt.V311, Reads: true},
		{Name: "u8-mqtt", Page: "u8", Protocol: mqtt.V311, Reads: true},
		{Name: "minimal parser", Page: "minimal", Protocol: mqtt.V311, Reads: true, Mark: true, Whole: true},
		{Name: "object counter", Page: "objects", Protocol: mqtt.V311, Mark: true, Whole: true, Uniform: true},
		{Name: "frame counter", Page: "raw", Protocol: mqtt.V311, Mark: true},
	}
}

// Before gives the clients that are another build of kiiweb, for a Site that has one.
func Before() []Client {
	return []Client{
		{Name: "before (main)", Page: "before", Where: "main", Protocol: mqtt.V5, Reads: true, Before: true},
		{Name: "before (worker)", Page: "before", Where: "worker", Protocol: mqtt.V5, Reads: true, Before: true},
	}
}

// Stage is what a run needs: the browser, the broker and the pages.
type Stage struct {
	Root    string
	Browser *browser.Browser
	Broker  *replay.Server
	Site    *site.Site

	streams map[streamKey]*replay.Stream
	names   int
}

type streamKey struct {
	version mqtt.Version
	shape   replay.Shape
}

// NewStage sets up a stage; root is the project's folder.
func NewStage(root string) (*Stage, error) {
	s := &Stage{Root: root, streams: make(map[streamKey]*replay.Stream)}
	var err error
	if s.Site, err = site.Start(root); err != nil {
		return nil, err
	}
	if s.Broker, err = replay.Start(); err == nil {
		s.Browser, err = browser.Start()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Revive starts another browser where the one that there was has died.
func (s *Stage) Revive(ctx context.Context) error {
	if _, err := s.Browser.Version(ctx); err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	fresh, err := browser.Start()
	if err == nil {
		s.Browser.Close()
		s.Browser = fresh
	}
	return err
}

// Close ends everything.
func (s *Stage) Close() {
	if s.Browser != nil {
		s.Browser.Close()
	}
	if s.Broker != nil {
		s.Broker.Close()
	}
	s.Site.Close()
}

// stream prepares a stream, once.
func (s *Stage) stream(v mqtt.Version, shape replay.Shape) (*replay.Stream, error) {
	key := streamKey{v, shape}
	if stream, ok := s.streams[key]; ok {
		return stream, nil
	}
	stream, err := replay.NewStream(v, shape)
	if err == nil {
		s.streams[key] = stream
	}
	return stream, err
}

// name makes a client identifier, as long as a Kii topic.
func (s *Stage) name() string {
	s.names++
	return fmt.Sprintf("bench-client-%09d", s.names)
}

// Act is one client in a tab.
type Act struct {
	Client Client
	stage  *Stage
	tab    *browser.Tab
	clock  time.Duration // bounds each step
}

// stepTime bounds what a client may take for one step, on a machine that is busy.
const stepTime = 2 * time.Minute

// Open loads a client's page in a tab of its own.
func (s *Stage) Open(ctx context.Context, c Client) (*Act, error) {
	tab, err := s.Browser.Tab(ctx)
	if err != nil {
		return nil, err
	}
	a := &Act{Client: c, stage: s, tab: tab, clock: stepTime}
	if err = tab.Navigate(ctx, s.Site.Visit().Page(c.Page)); err == nil {
		err = a.await(ctx, "globalThis.bench !== undefined")
	}
	if err == nil {
		err = tab.Identify(ctx)
	}
	if err != nil {
		a.Close(ctx)
		return nil, a.wrap(err)
	}
	return a, nil
}

// await asks the page until it says yes.
func (a *Act) await(ctx context.Context, condition string) error {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	for {
		var yes bool
		if err := a.tab.Eval(ctx, condition, &yes); err != nil && ctx.Err() != nil {
			return fmt.Errorf("%s: %w", condition, err)
		}
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", condition, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Close closes the tab.
func (a *Act) Close(ctx context.Context) { _ = a.tab.Close(ctx) }

func (a *Act) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", a.Client.Name, err)
}

// address is where a broker's WebSocket is, and as whom to go there.
type address struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Path     string `json:"path"`
	URL      string `json:"url"`
	Username string `json:"username,omitempty"`
	Password string `json:"password,omitempty"`
}

func loopback(port int, path string) address {
	const host = "127.0.0.1"
	return address{Host: host, Port: port, Path: path, URL: "ws://" + host + ":" + strconv.Itoa(port) + path}
}

// options are what the page's open takes.
type options struct {
	address
	ID       string `json:"id"`
	Topic    string `json:"topic"`
	QoS      byte   `json:"qos"`
	Protocol int    `json:"protocol,omitempty"`
	Where    string `json:"where,omitempty"`
}

func (s *Stage) options(c Client, qos byte) options {
	id := s.name()
	return options{
		address: loopback(s.Broker.Port(), replay.Path),
		ID:      id, Topic: id, QoS: qos, Protocol: int(c.Protocol), Where: c.Where,
	}
}

// online connects the client to the replay server until the function that it gives is called.
func (a *Act) online(ctx context.Context, qos byte) (*replay.Session, func(context.Context) error, error) {
	o := a.stage.options(a.Client, qos)
	session := a.stage.Broker.Expect(o.ID)
	err := a.call(ctx, "open", o, nil)
	if err == nil {
		err = session.Subscribed(ctx)
	}
	if err != nil {
		a.stage.Broker.Forget(session)
		return nil, nil, a.wrap(err)
	}
	return session, func(ctx context.Context) error {
		defer a.stage.Broker.Forget(session)
		return a.wrap(a.call(ctx, "close", nil, nil))
	}, nil
}

// call runs a method of the page's bench.
func (a *Act) call(ctx context.Context, method string, argument, out any) error {
	text := ""
	if argument != nil {
		b, err := json.Marshal(argument)
		if err != nil {
			return err
		}
		text = string(b)
	}
	if err := a.tab.Eval(ctx, "bench."+method+"("+text+")", out); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	return nil
}

// jsonOf is v as JavaScript; v is made of numbers and names.
func jsonOf(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

var errInexact = errors.New("what arrived is not what was sent")

// startURL is a page's URL that makes it connect by itself.
func startURL(page string, o any) (string, error) {
	b, err := json.Marshal(o)
	return page + "#" + url.PathEscape(string(b)), err
}

package suite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kiiweb/kiiweb/bench/browser"
	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/site"
)

// Start is how a page came to its first message. Times count from the start of the navigation.
type Start struct {
	Script  time.Duration // the page's script ran
	Ready   time.Duration // the client was connected and subscribed
	Message time.Duration // the first message was there
	Gap     time.Duration // the longest between two beats of a timer that is due every 4 ms, from Script to Message
	Longest time.Duration // task of the page's thread; 0 when none took 50 ms
	Sent    int           // bytes of bodies that the web server sent, compressed
}

// StartUp visits a client's page twice, in a new tab: first with nothing in the browser's caches,
// then with everything in them. The page connects at once, and gets one message when it
// has subscribed.
func (s *Stage) StartUp(ctx context.Context, c Client) (cold, cached Start, err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	if _, err := s.stream(c.Protocol, first); err != nil { // ahead of time
		return cold, cached, err
	}
	tab, err := s.Browser.Tab(ctx)
	if err != nil {
		return cold, cached, err
	}
	defer func() { _ = tab.Close(ctx) }()
	visit := s.Site.Visit()
	if cold, err = s.visit(ctx, tab, visit, c); err != nil {
		return cold, cached, fmt.Errorf("%s, cold: %w", c.Name, err)
	}
	if err = tab.Navigate(ctx, "about:blank"); err != nil {
		return cold, cached, err
	}
	if cached, err = s.visit(ctx, tab, visit, c); err != nil {
		err = fmt.Errorf("%s, cached: %w", c.Name, err)
	}
	return cold, cached, err
}

// visit loads the page once.
func (s *Stage) visit(ctx context.Context, tab *browser.Tab, visit site.Visit, c Client) (Start, error) {
	o := s.options(c, 0)
	url, err := startURL(visit.Page(c.Page), map[string]any{
		"open": o, "expect": expectation{Messages: 1, Period: replay.Period, TopicLength: replay.TopicLength},
	})
	if err != nil {
		return Start{}, err
	}
	session := s.Broker.Expect(o.ID)
	defer s.Broker.Forget(session)
	before := visit.Sent()
	if err := tab.Navigate(ctx, url); err != nil {
		return Start{}, err
	}
	if err := s.sendOne(ctx, session); err != nil {
		return Start{}, err
	}
	select {
	case body := <-visit.Reports():
		start, err := readStart(body)
		start.Sent = visit.Sent() - before
		return start, err
	case <-ctx.Done():
		return Start{}, fmt.Errorf("the page does not report: %w", ctx.Err())
	}
}

// first is what the first message looks like.
var first = replay.Shape{Payload: 64}

// sendOne sends the first message, as soon as the client has subscribed.
func (s *Stage) sendOne(ctx context.Context, session *replay.Session) error {
	if err := session.Subscribed(ctx); err != nil {
		return err
	}
	stream, err := s.stream(session.Version(), first)
	if err == nil {
		_, err = session.Replay(ctx, stream, 1)
	}
	return err
}

// readStart reads a page's report.
func readStart(body []byte) (Start, error) {
	var page struct {
		Script, Ready, Message, Longest, Gap float64
		Wrong                                int
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return Start{}, err
	}
	if page.Wrong > 0 {
		return Start{}, errInexact
	}
	return Start{
		Script: milliseconds(page.Script), Ready: milliseconds(page.Ready),
		Message: milliseconds(page.Message), Longest: milliseconds(page.Longest), Gap: milliseconds(page.Gap),
	}, nil
}

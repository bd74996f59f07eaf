package suite

import (
	"context"
	"fmt"
	"time"

	"github.com/kiiweb/kiiweb/bench/browser"
	"github.com/kiiweb/kiiweb/bench/replay"
)

// expectation is what the page's expect takes.
type expectation struct {
	Messages    int `json:"messages"`
	Bytes       int `json:"bytes"`
	Period      int `json:"period"`
	TopicLength int `json:"topicLength"`
}

// Received is how a client got through a burst of messages.
type Received struct {
	Messages    int
	CPU         browser.CPU
	Wall        time.Duration // between the first and the last message, by the page's clock
	LongestTask time.Duration // of the page's thread; the browser tells of those over 50 ms
	LongestGap  time.Duration // between two beats of a timer that is due every 4 ms
	Acks        int
	AckFrames   int // in which they came
}

// burst is a client that is online and gets messages.
type burst struct {
	act     *Act
	session *replay.Session
	stream  *replay.Stream
}

// Receive connects the client, warms it up with messages like those that count, and measures
// how it receives n messages of a shape. The result is an error when not exactly what was sent arrived,
// each message once and in order, and at QoS 1 each acknowledged in turn.
func (a *Act) Receive(ctx context.Context, shape replay.Shape, warm, n int) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	session, leave, err := a.online(ctx, shape.QoS)
	if err != nil {
		return Received{}, err
	}
	b := burst{act: a, session: session}
	b.stream, err = a.stage.stream(session.Version(), shape)
	if err == nil && warm > 0 {
		_, err = b.run(ctx, warm, false)
	}
	var got Received
	if err == nil {
		got, err = b.run(ctx, n, false)
	}
	if left := leave(); err == nil {
		err = left
	}
	return got, a.wrap(err)
}

// run replays n messages to the page.
func (b burst) run(ctx context.Context, n int, watch bool) (Received, error) {
	plan := b.stream.Plan(n)
	e := expectation{plan.Messages, plan.Bytes, replay.Period, replay.TopicLength}
	if err := b.act.tab.Eval(ctx, fmt.Sprintf("bench.expect(%s, %v)", jsonOf(e), watch), nil); err != nil {
		return Received{}, err
	}
	before, err := b.act.tab.Usage()
	if err != nil {
		return Received{}, err
	}
	type replayed struct {
		replay.Result
		err error
	}
	done := make(chan replayed, 1)
	go func() {
		r, err := b.session.Replay(ctx, b.stream, n)
		done <- replayed{r, err}
	}()
	var page struct {
		Received, Wrong         int
		Wall                    float64
		LongestTask, LongestGap float64
	}
	err = b.act.call(ctx, "received", nil, &page)
	r := <-done
	after, usage := b.act.tab.Usage()
	switch {
	case r.err != nil:
		return Received{}, r.err
	case err != nil:
		return Received{}, err
	case usage != nil:
		return Received{}, usage
	}
	got := Received{
		Messages: page.Received, CPU: after.Since(before), Wall: milliseconds(page.Wall),
		LongestTask: milliseconds(page.LongestTask), LongestGap: milliseconds(page.LongestGap),
		Acks: r.Acks, AckFrames: r.AckFrames,
	}
	return got, b.verify(ctx, got, page.Wrong, r.Result)
}

// verify looks once more at what arrived: a message too many comes late.
func (b burst) verify(ctx context.Context, got Received, wrong int, sent replay.Result) error {
	var count int
	if err := b.act.call(ctx, "count", nil, &count); err != nil {
		return err
	}
	if count != sent.Messages || wrong > 0 || sent.Wrong > 0 {
		return fmt.Errorf("%w: %d messages of %d, %d out of turn, %d of %d acknowledgements out of turn",
			errInexact, count, sent.Messages, wrong, sent.Wrong, sent.Acks)
	}
	return nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

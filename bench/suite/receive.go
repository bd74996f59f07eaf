package suite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kiiweb/kiiweb/bench/browser"
	"github.com/kiiweb/kiiweb/bench/replay"
)

// Received is how a client got through a burst of messages.
type Received struct {
	Messages    int
	CPU         browser.CPU
	Wall        time.Duration // between the first and the last message, by the page's clock
	Frames      int           // where the page counts them
	LongestTask time.Duration // of the page's thread; the browser tells of those over 50 ms
	LongestGap  time.Duration // between two beats of a timer that is due every 4 ms
	Acks        int
	AckFrames   int // in which they came
}

// Receive connects the client, warms it up with messages like those that count, and measures
// how it receives n messages of a shape. It is an error when not exactly what was sent
// arrived, each message once and in order, and at QoS 1 each acknowledged in turn.
func (a *Act) Receive(ctx context.Context, shape replay.Shape, warm, n int) (Received, error) {
	return a.receive(ctx, shape, warm, n, false)
}

// Watch is Receive with an eye on the page's thread, which costs time itself: its CPU and
// Wall are not to be compared with Receive's.
func (a *Act) Watch(ctx context.Context, shape replay.Shape, warm, n int) (Received, error) {
	return a.receive(ctx, shape, warm, n, true)
}

func (a *Act) receive(ctx context.Context, shape replay.Shape, warm, n int, watch bool) (got Received, err error) {
	err = a.perform(ctx, shape, func(ctx context.Context, b burst) error {
		if warm > 0 {
			if _, err := b.run(ctx, warm, false); err != nil {
				return err
			}
		}
		got, err = b.run(ctx, n, watch)
		return err
	})
	return got, err
}

// perform connects the client, has it get messages of a shape as play says, and closes the
// connection as the client does.
func (a *Act) perform(ctx context.Context, shape replay.Shape, play func(context.Context, burst) error) error {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	b, leave, err := a.join(ctx, shape)
	if err != nil {
		return err
	}
	err = play(ctx, b)
	if left := leave(ctx); err == nil {
		err = left
	}
	return a.wrap(err)
}

// join connects the client to get messages of a shape, until leave is called.
func (a *Act) join(ctx context.Context, shape replay.Shape) (b burst, leave func(context.Context) error, err error) {
	session, leave, err := a.online(ctx, shape.QoS)
	if err != nil {
		return b, nil, err
	}
	b = burst{act: a, session: session}
	if b.stream, err = a.stage.stream(session.Version(), shape); err != nil {
		return b, nil, errors.Join(err, leave(ctx))
	}
	return b, leave, nil
}

// Joined is a client that stays online for several bursts, with those of others in between.
type Joined struct {
	burst burst
	leave func(context.Context) error
}

// Join connects the client to get messages of a shape, and warms it up with some that do not count.
func (a *Act) Join(ctx context.Context, shape replay.Shape, warm int) (*Joined, error) {
	ctx, cancel := context.WithTimeout(ctx, a.clock)
	defer cancel()
	b, leave, err := a.join(ctx, shape)
	if err != nil {
		return nil, err
	}
	if _, err := b.run(ctx, warm, false); err != nil {
		return nil, a.wrap(errors.Join(err, leave(ctx)))
	}
	return &Joined{b, leave}, nil
}

// Receive measures one burst of n messages; what is an error is what Act.Receive has as one.
func (j *Joined) Receive(ctx context.Context, n int) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, j.burst.act.clock)
	defer cancel()
	got, err := j.burst.run(ctx, n, false)
	return got, j.burst.act.wrap(err)
}

// Leave closes the connection as the client does.
func (j *Joined) Leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, j.burst.act.clock)
	defer cancel()
	return j.leave(ctx)
}

// burst is a client that is online and gets messages from the replay server.
type burst struct {
	act     *Act
	session *replay.Session
	stream  *replay.Stream
}

// run replays n messages to the page.
func (b burst) run(ctx context.Context, n int, watch bool) (Received, error) {
	plan := b.stream.Plan(n)
	e := expectation{Messages: plan.Messages, Bytes: plan.Bytes, Period: replay.Period, TopicLength: replay.TopicLength}
	var sent replay.Result
	got, err := b.act.measure(ctx, e, watch, func() (err error) {
		sent, err = b.session.Replay(ctx, b.stream, n)
		return err
	})
	got.Acks, got.AckFrames = sent.Acks, sent.AckFrames
	if err == nil && sent.Wrong > 0 {
		err = fmt.Errorf("%w: %d of %d acknowledgements came out of turn", errInexact, sent.Wrong, sent.Acks)
	}
	return got, err
}

// expectation is what the page's expect takes.
type expectation struct {
	Messages    int  `json:"messages"`
	Bytes       int  `json:"bytes"` // for the page that reads no messages
	Period      int  `json:"period"`
	TopicLength int  `json:"topicLength"`
	JSON        bool `json:"json"` // messages are JSON objects with their number as n
}

// measure has the page receive what send sends, and says what that took. It is an error when that
// was not what is expected.
func (a *Act) measure(ctx context.Context, e expectation, watch bool, send func() error) (Received, error) {
	if err := a.tab.Eval(ctx, fmt.Sprintf("bench.expect(%s, %v)", jsonOf(e), watch), nil); err != nil {
		return Received{}, err
	}
	before, err := a.tab.Usage()
	if err != nil {
		return Received{}, err
	}
	sent := make(chan error, 1)
	go func() { sent <- send() }()
	var page struct {
		Received, Wrong, Frames int
		Wall                    float64
		LongestTask, LongestGap float64
	}
	err = a.call(ctx, "received", nil, &page)
	sendErr := <-sent
	after, usage := a.tab.Usage()
	if err := errors.Join(sendErr, err, usage); err != nil {
		return Received{}, err
	}
	var count int // once more: a message too many comes late
	if err := a.call(ctx, "count", nil, &count); err != nil {
		return Received{}, err
	}
	if count != e.Messages || page.Wrong > 0 {
		return Received{}, fmt.Errorf("%w: %d messages of %d, %d out of turn", errInexact, count, e.Messages, page.Wrong)
	}
	return Received{
		Messages: count, Frames: page.Frames, CPU: after.Since(before), Wall: milliseconds(page.Wall),
		LongestTask: milliseconds(page.LongestTask), LongestGap: milliseconds(page.LongestGap),
	}, nil
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

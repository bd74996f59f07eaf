package session

import (
	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

// event is something that happened to the session. Events that belong to one
// connection attempt carry its generation.
type event interface{ happened() }

type (
	// opened starts the session.
	opened struct{}
	// endpointReady: the Endpoint hook answered, to begin an attempt or ahead of need. lapsed: what it gave has expired.
	// proven: the version that worked there before, 0 for none.
	endpointReady struct {
		gen    uint32
		lapsed bool
		proven mqtt.Version
	}
	// dialed: the transport is open.
	dialed struct{ gen uint32 }
	// welcomed: CONNACK accepted the connection. kept: the server is to keep the session
	// beyond it.
	welcomed struct {
		gen            uint32
		sessionPresent bool
		kept           bool
	}
	// subscribed: SUBACK granted the subscription.
	subscribed struct{ gen uint32 }
	// unrenewed: a further subscription was lost with the session and is refused now.
	unrenewed struct {
		filter string
		err    *fault.Error
	}
	// passedOver: a message was too large, and was acknowledged without being handed over.
	passedOver struct {
		gen uint32
		err *fault.Error
	}
	// lost ends an attempt or a connection, whatever the cause.
	lost struct {
		gen   uint32
		cause cause
	}
	// retryDue: the waiting time is over.
	retryDue struct{}
	// expiring: the endpoint is near its end.
	expiring struct{ gen uint32 }
	// stableDue: the connection has been online for the stable period.
	stableDue struct{ gen uint32 }
	// woken: something suggests that the network or the machine came back, or that the network went away.
	woken struct{ why string }
	// paused: the network or the machine is about to go away.
	paused struct{ why string }
	// takenBack: the application wants the connection back.
	takenBack struct{}
	// closedByUser: the application closes the session.
	closedByUser struct{}
)

func (opened) happened()        {}
func (endpointReady) happened() {}
func (dialed) happened()        {}
func (welcomed) happened()      {}
func (subscribed) happened()    {}
func (unrenewed) happened()     {}
func (passedOver) happened()    {}
func (lost) happened()          {}
func (retryDue) happened()      {}
func (expiring) happened()      {}
func (stableDue) happened()     {}
func (woken) happened()         {}
func (paused) happened()        {}
func (takenBack) happened()     {}
func (closedByUser) happened()  {}

// generation gives the attempt that e belongs to; ok is false for events of the
// session as a whole.
func generation(e event) (gen uint32, ok bool) {
	switch e := e.(type) {
	case endpointReady:
		return e.gen, true
	case dialed:
		return e.gen, true
	case welcomed:
		return e.gen, true
	case subscribed:
		return e.gen, true
	case passedOver:
		return e.gen, true
	case lost:
		return e.gen, true
	case expiring:
		return e.gen, true
	case stableDue:
		return e.gen, true
	}
	return 0, false
}

package session

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/mqtt"
)

const gen = 7

// at gives the machine in a phase, in the middle of a life.
func at(p phase) machine {
	return machine{phase: p, gen: gen, failures: 2, version: negotiation{spoken: mqtt.V5, closes: 1}}
}

func names(effects []effect) string {
	var out []string
	for _, e := range effects {
		out = append(out, e.effect())
	}
	return strings.Join(out, " ")
}

// The events of the table, all of the current generation.
var (
	lostNetwork   = lost{gen, cause{kind: causeTimeout, text: "PINGRESP"}}
	lostClosed    = lost{gen, cause{kind: causeClosed}}
	lostVersion   = lost{gen, cause{kind: causeViolation, reason: mqtt.UnsupportedProtocolVersion}}
	lostBusy      = lost{gen, cause{kind: causeDisconnect, reason: mqtt.ServerBusy}}
	lostRefused   = lost{gen, cause{kind: causeConnack, reason: mqtt.BadUserNameOrPassword}}
	lostWithheld  = lost{gen, cause{kind: causeSuback, reason: mqtt.NotAuthorized}}
	lostExpired   = lost{gen, cause{kind: causeExpired}}
	lostViolation = lost{gen, cause{kind: causeViolation, reason: mqtt.MalformedPacket}}
	lostBlamed    = lost{gen, cause{kind: causeDisconnect, reason: mqtt.TopicNameInvalid}}
	lostFilter    = lost{gen, cause{kind: causeDisconnect, reason: mqtt.WildcardSubscriptionsNotSupported}}
	lostStop      = lost{gen, cause{kind: causeConnack, reason: mqtt.Banned}}
	lostRevoked   = lost{gen, cause{kind: causeDisconnect, reason: mqtt.AdministrativeAction}}
	lostDisplaced = lost{gen, cause{kind: causeDisconnect, reason: mqtt.SessionTakenOver}}
)

var allEvents = map[string]event{
	"opened":        opened{},
	"endpointReady": endpointReady{gen: gen},
	"lapsed":        endpointReady{gen: gen, lapsed: true},
	"dialed":        dialed{gen},
	"welcomed":      welcomed{gen: gen},
	"subscribed":    subscribed{gen},
	"network":       lostNetwork,
	"closed":        lostClosed,
	"version":       lostVersion,
	"busy":          lostBusy,
	"refused":       lostRefused,
	"withheld":      lostWithheld,
	"expired":       lostExpired,
	"violation":     lostViolation,
	"blamed":        lostBlamed,
	"filter":        lostFilter,
	"stop":          lostStop,
	"unrenewed":     unrenewed{filter: "a/#", err: fault.New(fault.Forbidden, "no")},
	"passedOver":    passedOver{gen, fault.New(fault.PacketTooLarge, "too large")},
	"revoked":       lostRevoked,
	"displaced":     lostDisplaced,
	"retryDue":      retryDue{},
	"expiring":      expiring{gen},
	"stableDue":     stableDue{gen},
	"woken":         woken{"online"},
	"offline":       woken{"offline"},
	"paused":        paused{"pagehide"},
	"takenBack":     takenBack{},
	"closedByUser":  closedByUser{},
}

// transition is where an event leads and what it causes. Every pair of a phase and an
// event that is not in the table must change nothing.
type transition struct {
	to      phase
	effects string
}

const attempt = "announce fetch limit"

var transitions = map[phase]map[string]transition{
	phaseIdle: {
		"opened":       {phaseFetching, attempt},
		"closedByUser": {phaseClosed, "discard settle announce finish"},
	},
	phaseFetching: {
		"endpointReady": {phaseDialing, "dial limit"},
		"lapsed":        {phaseFetching, "fetch limit"},
		"woken":         {phaseFetching, ""},
		"closedByUser":  {phaseClosed, "abandon discard settle announce finish"},
	},
	phaseDialing: {
		"dialed":       {phaseGreeting, "greet limit"},
		"woken":        {phaseDialing, ""},
		"closedByUser": {phaseClosed, "abandon discard settle announce finish"},
	},
	phaseGreeting: {
		"welcomed":     {phaseSubscribing, "learn resume limit"},
		"closed":       {phaseDialing, "abandon announce dial limit"}, // for the second time running
		"version":      {phaseDialing, "abandon announce dial limit"},
		"closedByUser": {phaseClosed, "hangUp discard settle announce finish"},
	},
	phaseSubscribing: {
		"subscribed":   {phaseOnline, "unlimit announce flow watchStable"},
		"passedOver":   {phaseSubscribing, ""},
		"closedByUser": {phaseClosed, "hangUp discard settle announce finish"},
	},
	phaseOnline: {
		"stableDue":     {phaseOnline, ""},
		"expiring":      {phaseOnline, "fetch"},
		"endpointReady": {phaseDialing, "hangUp announce dial limit"},
		"unrenewed":     {phaseOnline, "announce"},
		"passedOver":    {phaseOnline, "announce"},
		"filter":        {phaseWaiting, "abandon failSent wait"}, // the session's own is granted
		"blamed":        {phaseWaiting, "abandon failSent wait"},
		"woken":         {phaseOnline, "ping"},
		"offline":       {phaseOnline, "ping"},
		"closedByUser":  {phaseClosed, "hangUp discard settle announce finish"},
	},
	phaseWaiting: {
		"retryDue":     {phaseFetching, attempt},
		"woken":        {phaseFetching, "unwait " + attempt},
		"paused":       {phaseWaiting, "unwait announce"},
		"unrenewed":    {phaseWaiting, ""},
		"closedByUser": {phaseClosed, "unwait discard settle announce finish"},
	},
	phaseDisplaced: {
		"takenBack":    {phaseFetching, attempt},
		"unrenewed":    {phaseDisplaced, ""},
		"closedByUser": {phaseClosed, "discard settle announce finish"},
	},
	phaseClosed: {},
	phaseFailed: {},
}

// Before there is somebody to talk to, nothing is said to end an attempt; after that,
// only where the server does not know the reason.
func init() {
	for p := phaseFetching; p <= phaseOnline; p++ {
		told := "abandon"
		if p >= phaseGreeting {
			told = "hangUp"
		}
		for event, t := range map[string]transition{
			"network":   {phaseWaiting, "abandon wait"},
			"closed":    {phaseWaiting, "abandon wait"},
			"version":   {phaseFailed, "abandon settle announce finish"},
			"busy":      {phaseWaiting, "abandon wait"},
			"refused":   {phaseWaiting, "abandon wait"},
			"withheld":  {phaseWaiting, "abandon wait"},
			"expired":   {phaseWaiting, told + " wait"},
			"violation": {phaseWaiting, told + " wait"},
			"blamed":    {phaseWaiting, "abandon wait"}, // nothing was sent yet
			"filter":    {phaseFailed, "abandon settle announce finish"},
			"stop":      {phaseFailed, "abandon settle announce finish"},
			"revoked":   {phaseClosed, "abandon settle announce finish"},
			"displaced": {phaseDisplaced, "abandon settle announce"},
			"paused":    {phaseWaiting, told + " announce"},
		} {
			if _, own := transitions[p][event]; !own {
				transitions[p][event] = t
			}
		}
	}
}

func TestTransitions(t *testing.T) {
	require.Len(t, transitions, int(phases), "every phase is in the table")
	for p := phaseIdle; p < phases; p++ {
		for name, e := range allEvents {
			t.Run(p.String()+"/"+name, func(t *testing.T) {
				before := at(p)
				after, effects := step(before, e)
				want, listed := transitions[p][name]
				if !listed {
					assert.Equal(t, before, after)
					assert.Empty(t, effects)
					return
				}
				assert.Equal(t, want.to.String(), after.phase.String())
				assert.Equal(t, want.effects, names(effects))
			})
		}
	}
}

func TestEventsOfAnotherGenerationAreDropped(t *testing.T) {
	for p := phaseIdle; p < phases; p++ {
		for name, e := range map[string]event{
			"endpointReady": endpointReady{gen: gen - 1},
			"dialed":        dialed{gen - 1},
			"welcomed":      welcomed{gen: gen - 1},
			"subscribed":    subscribed{gen - 1},
			"stableDue":     stableDue{gen - 1},
			"expiring":      expiring{gen - 1},
			"passedOver":    passedOver{gen - 1, fault.New(fault.PacketTooLarge, "too large")},
			"lost":          lost{gen - 1, cause{kind: causeConnack, reason: mqtt.NotAuthorized}},
			"of the future": lost{gen + 1, cause{kind: causeClosed}},
		} {
			t.Run(p.String()+"/"+name, func(t *testing.T) {
				after, effects := step(at(p), e)
				assert.Equal(t, at(p), after)
				assert.Empty(t, effects)
			})
		}
	}
}

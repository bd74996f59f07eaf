package session

import (
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

const (
	remedyUnauthorized = "Check that the installation still exists, then fetch its endpoint again and connect anew."
	remedyMoved        = "Nothing to do: a new endpoint is fetched, which names the server to use."
	remedyOrigin       = "Allow this page's origin and this path at the broker's WebSocket listener."
	remedyContest      = "End the other tab or device, or call takeBack; for a broker that restarts often set the option displacement to off."
	remedyAuth         = "Let the broker accept a user name and a password; extended authentication (AUTH) is not supported."
	remedyLarge        = "Have it sent in parts, or the place where it can be fetched."
	remedyPath         = "Check the path of the broker's WebSocket listener; usually it is /mqtt."
)

// action is what to do about a cause.
type action uint8

const (
	actRetry    action = iota // wait, then connect again
	actRefresh                // wait, fetch a new endpoint, then connect
	actStop                   // end in the ruling's phase
	actDisplace               // wait for TakeBack
)

// busyFloor is the shortest wait after a server said that it has too much to do.
const busyFloor = 5 * time.Second

// longestFloor bounds what a server can ask for, since waking does not shorten it.
const longestFloor = time.Hour

// ruling is what the policy says about one cause.
type ruling struct {
	act    action
	end    phase // of actStop
	code   fault.Code
	remedy string // "" for the code's own
	floor  time.Duration
	most   int  // refusals running at which the session gives up; 0: this is none
	blame  bool // something that we sent is the reason: it is not sent again
	filter bool // about the subscription, as a SUBACK would have been; once that is granted something else that was sent is to blame
}

// course is one of the usual rulings, but for the code.
type course uint8

const (
	retry       course = iota // wait, then connect again
	busy                      // the same, after the shortest wait at least
	outsized                  // the same; nothing helps but that who sends messages sends smaller ones
	blamed                    // the first, and what was sent is to blame
	filter                    // what SUBACK with that code leads to, or once the session's own filter is granted: blame another one
	denied                    // the same, about a right, which may be one to something else
	stop                      // nothing helps
	foreign                   // nothing helps but a look at the broker's listener
	foreignAuth               // nothing helps but another way to authenticate
	revoked                   // the installation is gone: nothing failed, so the session is closed
	over                      // somebody has closed it
	displaced                 // another connection took over
	contested                 // it seems so
	refused                   // of the credentials: a fresh endpoint helps, or nothing does
	withheld                  // of the subscription: the same, since a fresh endpoint has what is missing made again
	doubted                   // a fresh endpoint tells whether the installation still exists, which the broker does not
	moved                     // a fresh endpoint names the server
	astray                    // a fresh endpoint may name the path
	expired                   // the endpoint's time is over; that is no failure, so there is no code
	courses                   // how many there are
)

var courseRulings = [courses]ruling{
	retry:       {act: actRetry},
	busy:        {act: actRetry, floor: busyFloor},
	blamed:      {act: actRetry, blame: true},
	filter:      {act: actStop, end: phaseFailed, filter: true},
	denied:      {act: actStop, end: phaseFailed, filter: true, remedy: remedyUnauthorized},
	stop:        {act: actStop, end: phaseFailed},
	outsized:    {act: actRetry, remedy: remedyLarge},
	foreign:     {act: actStop, end: phaseFailed, remedy: remedyOrigin},
	foreignAuth: {act: actStop, end: phaseFailed, remedy: remedyAuth},
	revoked:     {act: actStop, end: phaseClosed},
	over:        {act: actStop, end: phaseClosed},
	displaced:   {act: actDisplace},
	contested:   {act: actDisplace, remedy: remedyContest},
	refused:     {act: actRefresh, most: maxRefused},
	withheld:    {act: actRefresh, most: maxRefused, remedy: remedyUnauthorized},
	doubted:     {act: actRefresh, most: 2, remedy: remedyUnauthorized},
	moved:       {act: actRefresh, remedy: remedyMoved},
	astray:      {act: actRefresh, remedy: remedyPath},
	expired:     {act: actRefresh},
}

// ruling gives the course with a code.
func (c course) ruling(code fault.Code) ruling {
	r := courseRulings[c]
	r.code = code
	return r
}

// table gives rulings for causes of type K. It is a list and no map because a list of
// constants is data, while filling maps of this size is 45,000 bytes of code that a page
// downloads.
type table[K comparable] []entry[K]

// entry is a row of a table: on that cause, that course, called by that code.
type entry[K comparable] struct {
	on   K
	do   course
	code fault.Code
}

// find looks a ruling up.
func (t table[K]) find(on K) (r ruling, ok bool) {
	for i := range t {
		if t[i].on == on {
			return t[i].do.ruling(t[i].code), true
		}
	}
	return r, false
}

package compat

import (
	"fmt"
	"regexp"
	"strings"
)

// deviation is a way in which kiiweb/compat means to differ from Kii's SDK.
type deviation struct {
	why  string
	sent bool // Kii's SDK sends a request, perhaps after the call has ended
	// check tells what is wrong with the two runs of a step that deviates so; "" is nothing.
	check func(kii, ours run) string
}

var deviations = map[string]deviation{
	"sent all the same": {
		why:  "Kii's SDK rejects the argument, and sends the request nevertheless; a second failure is called with its answer. kiiweb sends nothing.",
		sent: true,
		check: func(kii, ours run) string {
			return first(same(firstFailure(kii.Outcome), ours.Outcome), nothingSent(ours))
		},
	},
	"logged out": {
		why: "Kii's SDK asks without a token and is told 401. kiiweb says the same without asking.",
		check: func(kii, ours run) string {
			until := regexp.MustCompile(` message: [^"\]]*`)
			shorten := func(o map[string]any) string { return until.ReplaceAllString(fmt.Sprint(o), " message: …") }
			if a, b := shorten(kii.Outcome), shorten(ours.Outcome); a != b {
				return a + " != " + b
			}
			return nothingSent(ours)
		},
	},
	"type error": {
		why: "An identifier that is no text brings Kii's SDK to a TypeError of its own inside. kiiweb says what is wrong.",
		check: func(_, ours run) string {
			return first(fails(ours, `^User identifier should be one of`), nothingSent(ours))
		},
	},
	"empty argument": refusedHere("Kii's SDK sends a request with the empty argument in it. kiiweb rejects."),
	"wrong argument": refusedHere("Kii's SDK sends what is no object. kiiweb rejects."),
	"missing id":     refusedHere(`Kii's SDK asks about "undefined". kiiweb rejects.`),
	"other channels": refusedBy("kiiweb installs and uninstalls for MQTT alone.", `^Unsupported deviceType (ANDROID|IOS)$`),
	"dot segment":    refusedBy("No path can name . and .., escaped or not: Kii's SDK asks about something else. kiiweb rejects.", `must not be \. or \.\.$`),
	"fetchedAt": {
		why: "An endpoint tells when it was fetched, for kiiweb's connect, which renews it in time.",
		check: func(kii, ours run) string {
			text := strings.NewReplacer(" fetchedAt:a moment", "", "fetchedAt:a moment ", "").Replace(fmt.Sprint(ours.Outcome))
			if text != fmt.Sprint(kii.Outcome) {
				return text + " != " + fmt.Sprint(kii.Outcome)
			}
			return sameWire(kii, ours)
		},
	},
	"not escaped": {
		why: "Kii's SDK puts ids and names into paths as they are, so that a '#', '?' or '/' makes another request of it. kiiweb escapes them.",
		check: func(_, ours run) string {
			if len(ours.Wire) != 1 || !regexp.MustCompile(`%[0-9A-F]{2}`).MatchString(ours.Wire[0]) {
				return "not one request with an escaped path: " + fmt.Sprint(ours.Wire)
			}
			return fails(ours, `failed\. statusCode: 4\d\d error code: [A-Z_]+ message: .`)
		},
	},
	"percent": {
		why: "A % in an error's answer makes Kii's SDK lose the code and the message. kiiweb reads the answer as it is.",
		check: func(kii, ours run) string {
			return first(fails(kii, `statusCode: 400$`), fails(ours, `statusCode: 400 error code: E message: 100%$`), sameWire(kii, ours))
		},
	},
	"percent in a success": {
		why: "A % in an answer throws inside of Kii's SDK, and the call never ends. kiiweb reads the answer as it is.",
		check: func(kii, ours run) string {
			if ours.Outcome["value"] == nil || ours.Outcome["value"] == "undefined" {
				return "no success: " + fmt.Sprint(ours.Outcome)
			}
			return first(neverEnds(kii), sameWire(kii, ours))
		},
	},
	"not JSON": {
		why: "An answer that is no JSON, or not the API's, throws inside of Kii's SDK, and the call never ends. kiiweb rejects.",
		check: func(kii, ours run) string {
			return first(neverEnds(kii), fails(ours, `BAD_RESPONSE`), sameWire(kii, ours))
		},
	},
	"half a text": {
		why: "Kii's SDK does not find the status in a text without error code or message, or takes it for a failure of the network. kiiweb finds it.",
		check: func(_, ours run) string {
			if parsed, _ := ours.Outcome["returned"].(map[string]any); parsed["status"] != 500.0 && parsed["status"] != 404.0 {
				return "no status: " + fmt.Sprint(ours.Outcome)
			}
			return sameWire(ours, run{})
		},
	},
	"foreign success": {
		why: "A success whose body is no JSON is one for Kii's SDK: it may be the page of a network that wants to be logged in to. kiiweb rejects.",
		check: func(kii, ours run) string {
			return first(fails(ours, `BAD_RESPONSE`), sameWire(kii, ours))
		},
	},
	"bad answer": {
		why: "A success without the fields that it has to have gives users without an id, and endpoints without a host. kiiweb rejects.",
		check: func(kii, ours run) string {
			return first(fails(ours, `BAD_RESPONSE`), sameWire(kii, ours))
		},
	},
}

func refusedHere(why string) deviation { return refusedBy(why, `^InvalidArgument: .|doesn't have ID$`) }

func refusedBy(why, message string) deviation {
	return deviation{why: why, check: func(_, ours run) string {
		return first(fails(ours, message), nothingSent(ours))
	}}
}

func neverEnds(r run) string {
	if v, _ := r.Outcome["value"].(map[string]any); v["never"] == nil {
		return "the call ends: " + fmt.Sprint(r.Outcome)
	}
	return ""
}

// fails tells when a run did not end in an error whose message matches.
func fails(r run, message string) string {
	e, _ := r.Outcome["error"].(map[string]any)
	text, ok := e["message"].(string)
	if !ok || !regexp.MustCompile(message).MatchString(text) {
		return fmt.Sprintf("no error like %s: %v", message, r.Outcome)
	}
	return ""
}

func nothingSent(r run) string {
	if len(r.Wire) > 0 {
		return "something was sent: " + fmt.Sprint(r.Wire)
	}
	return ""
}

func same(a, b map[string]any) string {
	if fmt.Sprint(a) != fmt.Sprint(b) {
		return fmt.Sprintf("%v != %v", a, b)
	}
	return ""
}

func sameWire(a, b run) string {
	if fmt.Sprint(a.Wire) != fmt.Sprint(b.Wire) {
		return fmt.Sprintf("%v != %v", a.Wire, b.Wire)
	}
	return ""
}

// firstFailure leaves out what Kii's SDK calls back after the first time.
func firstFailure(o map[string]any) map[string]any {
	called, _ := o["callbacks"].([]any)
	if len(called) > 1 {
		o["callbacks"] = called[:1]
	}
	return o
}

func first(problems ...string) string {
	for _, p := range problems {
		if p != "" {
			return p
		}
	}
	return ""
}

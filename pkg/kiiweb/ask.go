package kiiweb

import (
	"context"
	"strings"
)

// Request is a call of the REST API for which Client has no method.
type Request struct {
	Action        string   // what the caller wants, for the texts of errors
	Method        string   // of HTTP
	Path          []string // segments behind the base URL, neither escaped nor empty
	PaginationKey string   // for lists; "" sends none
	MediaType     string   // of Body
	Body          []byte   // nil sends none
	Token         string   // access token; "" sends none, whoever is logged in
}

// Answer is what the server said, whatever the status.
type Answer struct {
	Status int
	Body   []byte
}

// Ask sends r, with the headers that every call has, and gives the server's answer: a
// refusal is an Answer, too. The error is INVALID_ARGUMENT, or says why there is no answer.
func (c *Client) Ask(ctx context.Context, r Request) (Answer, error) {
	if r.Token != "" {
		if err := checkHeaderValue("token", r.Token); err != nil {
			return Answer{}, err
		}
	}
	path := ""
	for _, segment := range r.Path {
		if err := checkID("a part of the path", segment); err != nil {
			return Answer{}, err
		}
		// A colon needs no escape in a path (RFC 3986, 3.3); ids such as MQTT:x keep theirs.
		path += "/" + strings.ReplaceAll(escape(segment), "%3A", ":")
	}
	if r.PaginationKey != "" {
		path += paginated + escape(r.PaginationKey)
	}
	res, err := c.send(ctx, call{
		action: r.Action, method: r.Method, path: path, media: r.MediaType, raw: r.Body, login: Login{Token: r.Token},
	})
	if err != nil {
		return Answer{}, err
	}
	return Answer{Status: res.Status, Body: res.Body}, nil
}

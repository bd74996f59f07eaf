package transport

import (
	"context"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
)

func do(ctx context.Context, r Request) (*Response, error) {
	controller, err := jsx.New(js.Global().Get("AbortController"))
	if err != nil {
		return nil, fault.Wrap(fault.Unsupported, "This environment has no AbortController", err)
	}
	// Whatever ends this call ends the exchange; after a complete one it does nothing.
	defer controller.Call("abort")
	answer, err := fetch(ctx, r, controller.Get("signal"))
	if err != nil {
		return nil, failed(ctx, r, err)
	}
	if answer.Get("type").String() == "opaqueredirect" {
		return nil, redirected(r)
	}
	body, err := readBody(ctx, r, answer)
	if err != nil {
		return nil, err
	}
	return &Response{Status: answer.Get("status").Int(), Header: headerOf(answer), Body: body}, nil
}

// fetcher is the object whose fetch makes requests, where that is not the browser's.
var fetcher js.Value

// UseFetch sets it: the loader's, which looks on for its debug log.
func UseFetch(holder js.Value) { fetcher = holder }

func fetch(ctx context.Context, r Request, signal js.Value) (js.Value, error) {
	header := map[string]any{}
	for name, value := range r.Header {
		header[name] = value
	}
	init := map[string]any{
		"method": r.Method, "headers": header, "signal": signal,
		"redirect": "manual", "cache": "no-store", "credentials": "omit",
	}
	if r.Body != nil {
		init["body"] = jsx.Uint8Array(r.Body)
	}
	holder := fetcher
	if !holder.Truthy() {
		holder = js.Global()
	}
	promise, err := jsx.Call(holder, "fetch", r.URL, init)
	if err != nil {
		return js.Undefined(), err
	}
	return jsx.Await(ctx, promise)
}

// readBody reads the body piece by piece, so that one over the limit is never held.
func readBody(ctx context.Context, r Request, answer js.Value) ([]byte, error) {
	stream := answer.Get("body")
	if stream.Type() != js.TypeObject {
		return []byte{}, nil // HEAD, 204 and 304 have none
	}
	reader := stream.Call("getReader")
	body := []byte{}
	for {
		promise, err := jsx.Call(reader, "read")
		if err != nil {
			return nil, failed(ctx, r, err)
		}
		piece, err := jsx.Await(ctx, promise)
		if err != nil {
			return nil, failed(ctx, r, err)
		}
		if piece.Get("done").Bool() {
			return body, nil
		}
		value := piece.Get("value")
		if len(body)+value.Length() > MaxResponse {
			return nil, bodyTooLarge(r)
		}
		b, _ := jsx.Bytes(value)
		body = append(body, b...)
	}
}

func headerOf(answer js.Value) func(string) string {
	headers := answer.Get("headers")
	return func(name string) string {
		value, err := jsx.Call(headers, "get", name)
		if err != nil || value.Type() != js.TypeString {
			return ""
		}
		return value.String()
	}
}

// failed tells the end of ctx from a failure of the network.
func failed(ctx context.Context, r Request, err error) error {
	if ctx.Err() != nil {
		return ended(ctx, r.Method+" "+shown(r.URL))
	}
	return requestFailed(r, err)
}

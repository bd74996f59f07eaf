//go:build !js

package transport

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// idleTimeout is how long a connection is kept for the next request.
const idleTimeout = 15 * time.Second

func do(ctx context.Context, r Request) (*Response, error) {
	client, err := clients.get(r.RootCAs)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if r.Body != nil {
		body = bytes.NewReader(r.Body)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidArgument, "The request cannot be sent", err)
	}
	for name, value := range r.Header {
		request.Header.Set(name, value)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, failed(ctx, r, err)
	}
	defer answer.Body.Close()
	if isRedirect(answer) {
		return nil, redirected(r)
	}
	content, err := io.ReadAll(io.LimitReader(answer.Body, MaxResponse+1))
	if err != nil {
		return nil, failed(ctx, r, err)
	}
	if len(content) > MaxResponse {
		return nil, bodyTooLarge(r)
	}
	return &Response{Status: answer.StatusCode, Header: answer.Header.Get, Body: content}, nil
}

// isRedirect tells whether a browser would call the answer one (Fetch Standard, "redirect status").
func isRedirect(answer *http.Response) bool {
	switch answer.StatusCode {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// failed tells the end of ctx from a failure of the network.
func failed(ctx context.Context, r Request, err error) error {
	if ctx.Err() != nil {
		return ended(ctx, r.Method+" "+shown(r.URL))
	}
	var outer *url.Error // it repeats method and URL, the query with them
	if errors.As(err, &outer) {
		err = outer.Err
	}
	e := requestFailed(r, err)
	if isCertificateError(err) {
		e.Remedy, e.Retryable = certificateRemedy, false
	}
	return e
}

// clientCache keeps one client, with its idle connections, per set of root certificates.
type clientCache struct {
	mu sync.Mutex
	m  map[string]*http.Client
}

// maxClients bounds the cache; over it everything is dropped and made again.
const maxClients = 16

var clients = clientCache{m: map[string]*http.Client{}}

func (c *clientCache) get(rootCAs []byte) (*http.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client := c.m[string(rootCAs)]; client != nil {
		return client, nil
	}
	config, err := tlsConfig(rootCAs)
	if err != nil {
		return nil, err
	}
	if len(c.m) >= maxClients {
		for key, client := range c.m {
			client.CloseIdleConnections()
			delete(c.m, key)
		}
	}
	client := &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			TLSClientConfig:   config,
			ForceAttemptHTTP2: true,
			IdleConnTimeout:   idleTimeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.m[string(rootCAs)] = client
	return client, nil
}

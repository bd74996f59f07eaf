//go:build !js

package testserver

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// http adds:
//
//	/http/echo         201 with an Echo, and headers Location and X-MQTT-TTL
//	/http/status?code= that status and a JSON error; no body for 204
//	/http/size?n=      n bytes without a Content-Length
//	/http/hang         no answer at all
//	/http/stall        the head and a first byte, then nothing
//	/http/cut          less than its Content-Length
//	/http/redirect?code=&to= a redirect to an absolute URL
//	/http/secret       counts its visits; /http/visits tells them
func (n *node) http(mux *http.ServeMux) {
	handlers := map[string]http.HandlerFunc{
		"echo":     echoRequest,
		"status":   status,
		"size":     size,
		"hang":     n.hang,
		"stall":    n.stall,
		"cut":      cut,
		"redirect": redirect,
		"secret":   n.secret,
		"visits":   n.tellVisits,
	}
	for path, handle := range handlers {
		mux.HandleFunc("/http/"+path, func(w http.ResponseWriter, r *http.Request) {
			allowOrigin(w, r)
			if r.Method != http.MethodOptions {
				handle(w, r)
			}
		})
	}
}

// allowOrigin answers CORS, preflights as well.
func allowOrigin(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, HEAD")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Kii-AppID")
	h.Set("Access-Control-Expose-Headers", "X-MQTT-TTL, Location")
}

func echoRequest(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Location", "/somewhere")
	w.Header().Set("X-MQTT-TTL", "7")
	w.Header().Set("Set-Cookie", "crumb=1; Path=/")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(Echo{
		Method:        r.Method,
		Authorization: r.Header.Get("Authorization"),
		AppID:         r.Header.Get("X-Kii-AppID"),
		ContentType:   r.Header.Get("Content-Type"),
		Cookie:        r.Header.Get("Cookie"),
		Body:          string(body),
	})
}

func status(w http.ResponseWriter, r *http.Request) {
	code := number(r, "code")
	w.WriteHeader(code)
	if code != http.StatusNoContent {
		_, _ = io.WriteString(w, `{"errorCode":"SOMETHING"}`)
	}
}

func size(w http.ResponseWriter, r *http.Request) {
	piece := make([]byte, 4096)
	for left := number(r, "n"); left > 0; left -= len(piece) {
		if _, err := w.Write(piece[:min(left, len(piece))]); err != nil {
			return
		}
	}
}

func (n *node) hang(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-n.stop:
	}
}

func (n *node) stall(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "x")
	w.(http.Flusher).Flush()
	n.hang(w, r)
}

func cut(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "too short")
}

func redirect(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Location", r.URL.Query().Get("to"))
	w.WriteHeader(number(r, "code"))
}

func (n *node) secret(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.visits++
}

func (n *node) tellVisits(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, _ = io.WriteString(w, strconv.Itoa(n.visits))
}

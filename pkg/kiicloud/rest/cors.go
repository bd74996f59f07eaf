package rest

import "net/http"

const (
	corsMethods = "GET, POST, PUT, PATCH, DELETE, HEAD"
	corsHeaders = "Authorization, Content-Type, Accept, X-Kii-AppID, X-Kii-AppKey, X-Kii-SDK, If-Match, If-None-Match, X-HTTP-Method-Override"
	corsExposed = "X-MQTT-TTL, Location, Retry-After, Allow, ETag, X-Request-ID"
	corsMaxAge  = "600" // seconds
)

// cors lets pages of allowed origins use the API, and answers their preflight requests.
// It is false when the request is answered.
func (a *API) cors(w http.ResponseWriter, r *http.Request) (goOn bool) {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if !a.AllowOrigin(r) {
		forbidden("ORIGIN_NOT_ALLOWED", "Pages of this origin may not use this server; start it with -allow-origin to let them.").write(w)
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		h.Set("Access-Control-Expose-Headers", corsExposed)
		return true
	}
	h.Set("Access-Control-Allow-Methods", corsMethods)
	h.Set("Access-Control-Allow-Headers", corsHeaders)
	h.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
	return false
}

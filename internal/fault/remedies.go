package fault

type preset struct {
	remedy    string
	retryable bool
}

// defaults gives each code the sentence that tells a developer what to do, unless
// the place that raises the error knows better.
var defaults = map[Code]preset{
	InvalidArgument:  {"Correct the argument that the message names; nothing was sent.", false},
	NotLoggedIn:      {"Call login, loginAsThing or useToken first.", false},
	Unauthorized:     {"Log in again: the token is missing, expired or revoked, or it belongs to somebody else.", false},
	Forbidden:        {"Use a token that may do this, and check the app's id and key.", false},
	NotFound:         {"Check the id; if the installation is gone, call installMqtt again.", false},
	Conflict:         {"It exists already; use the existing one or another name.", false},
	EndpointNotReady: {"Wait a few seconds and call getMqttEndpoint again; the server is still preparing the endpoint.", true},
	PushTooLarge:     {"Shorten the message: a push is at most 4096 bytes of JSON.", false},
	RateLimited:      {"Wait as long as retryAfter says before trying again.", true},
	ServerError:      {"Try again later; if it stays, look at the server's log.", true},
	BadResponse:      {"Check that the base URL is that of a Kii-compatible API and that no proxy answers in its place.", false},
	Network:          {"Check the connection, the URL and, for https, the server's certificate; in a browser also that the server allows the page's origin (CORS), and the page's Content-Security-Policy the server, and that a page of https asks https only.", true},
	Timeout:          {"Try again, or allow more time with the timeout option.", true},
	Aborted:          {"Nothing to do: the caller's signal or context ended the call.", false},
	Closed:           {"Open a new connection with connect.", false},
	BadCredentials:   {"Fetch the endpoint again with getMqttEndpoint.", false},
	Displaced:        {"Another tab or device uses this connection; call takeBack to take it over.", false},
	Revoked:          {"The installation was removed; call installMqtt again to receive pushes.", false},
	ProtocolError:    {"The broker broke the protocol; check that the URL is that of an MQTT broker and report it.", true},
	ProtocolVersion:  {"Use a broker that speaks MQTT 5, 3.1.1 or 3.1, and leave the option protocol out unless it speaks that version.", false},
	PacketTooLarge:   {"Send a smaller message; the broker says how large it may be.", false},
	QueueFull:        {"Wait for earlier messages to be sent before publishing more.", true},
	Insecure:         {"Use wss:// or https://, or set allowInsecure if the network is trusted.", false},
	WasmLoad:         {"Check wasmURL, the server's MIME type for .wasm and the page's Content-Security-Policy.", false},
	Crashed:          {"Call the method again: the module is started anew. Please report the cause.", true},
	Unsupported:      {"Use a browser or a server that has this feature.", false},
}

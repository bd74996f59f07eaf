package kiiweb

import (
	"context"
	"errors"

	"github.com/kiiweb/kiiweb/internal/fault"
)

// Version is the version of this library, as X-Kii-SDK tells it to the server.
const Version = "0.1.0"

// Site is one of Kii Cloud's regions.
type Site string

// The sites of Kii Cloud.
const (
	SiteUS Site = "US"
	SiteJP Site = "JP"
	SiteSG Site = "SG"
	SiteEU Site = "EU"
)

// BaseURL gives the URL of the site's REST API, "" for an unknown site.
func (s Site) BaseURL() string {
	switch s {
	case SiteUS:
		return "https://api.kii.com/api"
	case SiteJP:
		return "https://api-jp.kii.com/api"
	case SiteSG:
		return "https://api-sg.kii.com/api"
	case SiteEU:
		return "https://api-eu.kii.com/api"
	}
	return ""
}

// Config says which app of which cloud a Client works for.
type Config struct {
	AppID  string // X-Kii-AppID; visible ASCII
	AppKey string // X-Kii-AppKey; visible ASCII

	// Site or BaseURL, not both: a region of Kii Cloud, or the URL of any
	// Kii-compatible REST API, such as http://localhost:8080/api.
	Site    Site
	BaseURL string

	// AllowInsecure lets credentials travel over http, ws and tcp to hosts other than
	// this machine. Set it only for a network that is trusted as a whole.
	AllowInsecure bool

	// GetToken is asked for a new token of the owner who is logged in when the server
	// has refused the one in force with 401, for a call or for a connection that needs a
	// new endpoint; then the call is sent with it once more. Calls that need one at the
	// same time share one request. "" says that there is none: the call fails with
	// UNAUTHORIZED. An error that is none of this package's does so, too, and says that
	// there may be one later: a connection asks again. nil: a login lasts as long as its
	// token.
	GetToken func(ctx context.Context, owner Owner) (token string, err error)

	// Debug hears what connections do: where they are dialed and how that went, every change of
	// state with its cause, and every packet's type and size, but no packet's content, no password and no
	// token. It is called from several goroutines, and must not block; the form is that of
	// slog.Logger's methods: Debug: slog.Default().Debug. nil: nobody does. In a browser it is
	// ignored: the loader's option debug is the log there.
	Debug func(message string, args ...any)

	// RootCAs are PEM certificates to trust besides the system's. In a browser the
	// browser alone decides, and this is ignored.
	RootCAs []byte
}

// resolve checks the configuration and gives its base URL. The error is
// INVALID_ARGUMENT, or INSECURE for plain http to another machine.
func (c Config) resolve() (baseURL, error) {
	if err := checkHeaderValue("AppID", c.AppID); err != nil {
		return baseURL{}, err
	}
	if isDotSegment(c.AppID) {
		return baseURL{}, invalid("AppID must not be . or ..")
	}
	if err := checkHeaderValue("AppKey", c.AppKey); err != nil {
		return baseURL{}, err
	}
	raw := c.BaseURL
	switch {
	case c.Site != "" && c.BaseURL != "":
		return baseURL{}, invalid("Site and BaseURL are both given; one of them is wanted")
	case c.Site != "":
		if raw = c.Site.BaseURL(); raw == "" {
			return baseURL{}, invalid("Site " + string(c.Site) + " is unknown; it is one of US, JP, SG and EU")
		}
	case raw == "":
		return baseURL{}, invalid("Site or BaseURL is missing")
	}
	u, err := parseBaseURL(raw)
	if err != nil {
		return baseURL{}, invalid("BaseURL is not usable: " + err.Error())
	}
	if u.scheme == "http" && !isLoopback(u.host) && !c.AllowInsecure {
		return baseURL{}, fault.New(fault.Insecure, "BaseURL would send credentials unencrypted over http:// to "+u.host)
	}
	return u, nil
}

// checkHeaderValue refuses what an HTTP header cannot carry or could be broken by.
func checkHeaderValue(name, s string) error {
	if s == "" {
		return invalid(name + " must not be empty")
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return invalid(name + " must consist of visible ASCII characters")
		}
	}
	return nil
}

// checkID refuses ids that cannot stand in a path.
func checkID(name, id string) error {
	switch {
	case id == "":
		return invalid(name + " must not be null or empty.")
	case id == "." || id == "..":
		return invalid(name + " must not be . or ..")
	}
	return nil
}

var errNotObject = errors.New("not a JSON object")

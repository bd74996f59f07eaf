package rabbitmq

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// Address says where a cluster of RabbitMQ is and how to use it.
type Address struct {
	User, Password string
	Hosts          []string // host:port of AMQP, tried in turn
	TLS            bool     // AMQP over TLS
	VHost          string
	Management     []string // base URLs of the management API, tried in turn
	// With TLS: the certificates of the CAs to trust, in PEM, instead of the machine's; what to show RabbitMQ where it
	// asks for a certificate; and the name that RabbitMQ's certificates have instead of each host's own. "": none.
	CAFile, CertFile, KeyFile, ServerName string
	// CleanStart lets clients begin a session of their own, and subscribe at QoS 0. What waits for
	// them is lost then, and what is on its way to them may be.
	CleanStart bool
}

// Schemes are what an address begins with.
const (
	scheme    = "rabbitmq://"
	schemeTLS = "rabbitmqs://"
)

// IsAddress tells whether s is meant to be an address of RabbitMQ.
func IsAddress(s string) bool {
	return strings.HasPrefix(s, scheme) || strings.HasPrefix(s, schemeTLS)
}

// ParseAddress reads
//
//	rabbitmq://user:password@host1:5672,host2:5672/vhost?management=http://host1:15672,http://host2:15672
//
// The scheme rabbitmqs is for TLS. Ports, the virtual host (/) and management (port 15672, or 15671
// with TLS, of each host) have defaults; clean=allow is Address.CleanStart. For TLS, with AMQP and with a
// management API over https, there are what RabbitMQ's own URIs have for it: cacertfile, certfile, keyfile and
// server_name_indication. Special characters in user, password and virtual host are escaped as in every URL. Errors do not
// repeat the address, which holds a password.
func ParseAddress(s string) (a Address, err error) {
	rest, ok := strings.CutPrefix(s, scheme)
	port, managementPort, managementScheme := "5672", "15672", "http://"
	if !ok {
		if rest, a.TLS = strings.CutPrefix(s, schemeTLS); !a.TLS {
			return a, errors.New("it begins with neither rabbitmq:// nor rabbitmqs://")
		}
		port, managementPort, managementScheme = "5671", "15671", "https://"
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, vhost, _ := strings.Cut(rest, "/")
	at := strings.LastIndex(authority, "@")
	if at < 0 {
		return a, errors.New("it has no user and password: rabbitmq://user:password@host")
	}
	user, password, _ := strings.Cut(authority[:at], ":")
	var bad bool
	for _, part := range []struct {
		to   *string
		text string
	}{{&a.User, user}, {&a.Password, password}, {&a.VHost, vhost}} {
		*part.to, err = url.PathUnescape(part.text)
		bad = bad || err != nil
	}
	if bad {
		return a, errors.New("a % in user, password or virtual host is not followed by two hexadecimal digits")
	}
	if a.User == "" || a.Password == "" {
		return a, errors.New("user or password is empty")
	}
	if a.VHost == "" {
		a.VHost = "/"
	}
	for _, h := range strings.Split(authority[at+1:], ",") {
		host, p, err := hostPort(h, port)
		if err != nil {
			return a, err
		}
		a.Hosts = append(a.Hosts, net.JoinHostPort(host, p))
		a.Management = append(a.Management, managementScheme+net.JoinHostPort(host, managementPort))
	}
	return a, a.options(query)
}

// hostPort takes host, host:port, or an IPv6 address in brackets.
func hostPort(s, port string) (host, p string, err error) {
	host, p, err = net.SplitHostPort(s)
	if err != nil {
		host, p = strings.Trim(s, "[]"), port
		if strings.Contains(host, ":") && !strings.HasPrefix(s, "[") {
			return "", "", fmt.Errorf("the host %q is not host:port", s)
		}
	}
	if host == "" || p == "" {
		return "", "", errors.New("a host is empty")
	}
	return host, p, nil
}

func (a *Address) options(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("what follows the ? is not name=value&name=value")
	}
	for name, v := range values {
		last := v[len(v)-1]
		switch name {
		case "management":
			a.Management = nil
			for _, base := range strings.Split(last, ",") {
				u, err := url.Parse(base)
				if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
					return errors.New("management is not http://host:15672 or a list of such, without user and password")
				}
				a.Management = append(a.Management, strings.TrimRight(base, "/"))
			}
		case "cacertfile":
			a.CAFile = last
		case "certfile":
			a.CertFile = last
		case "keyfile":
			a.KeyFile = last
		case "server_name_indication":
			a.ServerName = last
		case "clean":
			if last != "allow" && last != "refuse" {
				return errors.New("clean is either allow or refuse")
			}
			a.CleanStart = last == "allow"
		default:
			return fmt.Errorf("%q is not an option: there are management, clean, cacertfile, certfile, keyfile and server_name_indication", name)
		}
	}
	return a.checkTLS()
}

func (a *Address) checkTLS() error {
	if (a.CertFile == "") != (a.KeyFile == "") {
		return errors.New("certfile and keyfile go together")
	}
	secure := a.TLS || slices.ContainsFunc(a.Management, func(base string) bool { return strings.HasPrefix(base, "https:") })
	if !secure && (a.CAFile != "" || a.CertFile != "" || a.ServerName != "") {
		return errors.New("cacertfile, certfile, keyfile and server_name_indication are for TLS: begin with rabbitmqs://")
	}
	return nil
}

package kiicloud

import (
	"errors"
	"flag"
	"strconv"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine/rabbitmq"
	"github.com/kiiweb/kiiweb/pkg/kiicloud/rest"
)

// RegisterFlags gives fs the flags of the cloud, which fill c when fs is parsed.
func (c *Config) RegisterFlags(fs *flag.FlagSet) {
	fs.StringVar(&c.HTTP, "http", "127.0.0.1:8080", "listen for HTTP: the API, MQTT over WebSocket, the page; \"\" for not at all")
	fs.StringVar(&c.HTTPS, "https", "127.0.0.1:8443", "listen for HTTPS, the same over TLS")
	fs.StringVar(&c.MQTT, "mqtt", "127.0.0.1:1883", "listen for MQTT over TCP; with -engine rabbitmq:// that is RabbitMQ's to do")
	fs.StringVar(&c.MQTTS, "mqtts", "127.0.0.1:8883", "listen for MQTT over TLS; the same")
	fs.StringVar(&c.DataDir, "data", "./"+DefaultDataDir, "`folder` of the database, the certificates and the secrets")
	fs.StringVar(&c.Host, "host", "", "the `name` that endpoints advertise (default the listening host, localhost for loopback)")
	fs.StringVar(&c.TLSCert, "tls-cert", "", "certificate `file`, PEM (default: generated, with a CA of its own in the data folder)")
	fs.StringVar(&c.TLSKey, "tls-key", "", "private key `file` of -tls-cert, PEM")
	fs.Func("app", "an app, as `id:key`; may be repeated (default "+DefaultApp.ID+":"+DefaultApp.Key+")", func(s string) error {
		id, key, err := pair(s)
		c.Apps = append(c.Apps, App{ID: id, Key: key})
		return err
	})
	fs.Func("admin", "an administrator, as `clientID:secret`; may be repeated (default: generated and kept in the data folder)", func(s string) error {
		id, secret, err := pair(s)
		c.Admins = append(c.Admins, Admin{ClientID: id, Secret: secret})
		return err
	})
	fs.Func("allow-origin", "an `origin` whose pages may use the cloud, or *; may be repeated (default: loopback origins when all addresses are loopback, else the cloud's own)", func(s string) error {
		c.AllowOrigins = append(c.AllowOrigins, s)
		return nil
	})
	fs.DurationVar(&c.EndpointDelay, "endpoint-delay", 0, "how long after the install an endpoint stays \"not ready\"")
	fs.DurationVar(&c.MQTTTTL, "mqtt-ttl", DefaultMQTTTTL, "how long an MQTT password is good, in whole seconds")
	fs.DurationVar(&c.TokenTTL, "token-ttl", DefaultTokenTTL, "how long an access token is good at most; 0 for ever")
	limits := rest.DefaultLimits
	c.Limits = &limits
	for _, l := range []struct {
		name, usage string
		rate        *rest.Rate
	}{
		{"limit-login-account", "how many logins to one account may fail, as `number/time`; 0 for any", &limits.LoginByAccount},
		{"limit-login-address", "how many logins from one address may fail, as `number/time`; 0 for any", &limits.LoginByAddress},
		{"limit-register", "how many users and things one address may register, as `number/time`; 0 for any", &limits.RegisterByAddress},
	} {
		fs.Func(l.name, l.usage+" (default "+l.rate.String()+")", func(s string) (err error) {
			*l.rate, err = rest.ParseRate(s)
			return err
		})
	}
	fs.IntVar(&c.MaxConnections, "limit-connections", DefaultMaxConnections, "how many connections there may be, to all ports; 0 for any")
	fs.IntVar(&c.MaxConnectionsByAddress, "limit-connections-address", DefaultMaxConnectionsByAddress, "how many of them from one address, of IPv6 one network of 64 bits, other than this machine's own; 0 for any")
	fs.Func("trust-proxy", "the `address` or range of a reverse proxy whose X-Forwarded-For is believed; may be repeated", func(s string) error {
		p, err := rest.ParseProxy(s)
		c.TrustProxies = append(c.TrustProxies, p)
		return err
	})
	fs.DurationVar(&c.Drain, "drain", 0, "how long after SIGTERM all is still served, with /readyz 503, so that a balancer can turn to other processes")
	fs.StringVar(&c.MetricsToken, "metrics-token", "", "a `token` with which /metrics may be read from elsewhere (default: from this machine alone)")
	fs.StringVar(&c.SecretFile, "secret-file", "", "`file` with the key from which MQTT passwords are derived (default: in the data folder, made when missing)")
	fs.StringVar(&c.Store, "store", "sqlite", "where users, installations and queues are kept: sqlite, in the data folder, or `address` of a database, postgres://user:password@host/database")
	fs.StringVar(&c.Engine, "engine", "embedded", "what speaks MQTT: embedded, in this process, or `address` of a RabbitMQ 4 cluster, rabbitmq://user:password@host,host/vhost?management=http://host:15672 (docs/rabbitmq.md)")
	fs.Func("engine-ports", "the `ports` that endpoints advertise, where clients reach MQTT at RabbitMQ's or a proxy's: of tcp=1883,ssl=8883,ws=80,wss=443 those that there are (default: those that are listened on; with RabbitMQ tcp=1883,ws=15675)", func(s string) (err error) {
		c.EnginePorts, err = parsePorts(s)
		return err
	})
	fs.StringVar(&c.EngineToken, "engine-token", "", "a `token` with which RabbitMQ may ask from other machines who may connect (default: from this machine alone)")
}

// parsePorts reads name=port, with commas between.
func parsePorts(s string) (p rabbitmq.Ports, err error) {
	to := map[string]*int{"tcp": &p.TCP, "ssl": &p.SSL, "ws": &p.WS, "wss": &p.WSS}
	for _, part := range strings.Split(s, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		port, err := strconv.ParseUint(number, 10, 16)
		if to[name] == nil || err != nil || port == 0 {
			return p, errors.New("it has to be some of tcp=port, ssl=port, ws=port and wss=port, with commas between")
		}
		*to[name] = int(port)
	}
	return p, nil
}

func pair(s string) (name, secret string, err error) {
	name, secret, ok := strings.Cut(s, ":")
	if !ok || name == "" || secret == "" {
		return "", "", errors.New("it has to be two words with a colon between")
	}
	return name, secret, nil
}

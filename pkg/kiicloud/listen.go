package kiicloud

import (
	"errors"
	"fmt"
	"net"
)

// listeners are the bound addresses of a cloud.
type listeners struct{ http, https, mqtt, mqtts listener }

// listen binds all addresses, or none.
func (c Config) listen() (l listeners, err error) {
	for _, want := range []struct {
		flag, addr string
		to         *listener
	}{
		{"-http", c.HTTP, &l.http}, {"-https", c.HTTPS, &l.https},
		{"-mqtt", c.MQTT, &l.mqtt}, {"-mqtts", c.MQTTS, &l.mqtts},
	} {
		if want.addr == "" {
			continue
		}
		ln, err := net.Listen("tcp", want.addr)
		if err != nil {
			return l, errors.Join(fmt.Errorf("%s %s: %w; give another address, or port 0 for a free one", want.flag, want.addr, err), l.close())
		}
		want.to.Listener = ln
	}
	return l, nil
}

func (l listeners) close() error {
	var errs []error
	for _, x := range []listener{l.http, l.https, l.mqtt, l.mqtts} {
		if x.Listener == nil {
			continue
		}
		if err := x.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// advertised is the host name that endpoints carry: the one configured, or the
// listening host, or RabbitMQ's first one, which is called localhost where it is this machine's own.
func (c Config) advertised() string {
	if c.Host != "" {
		return c.Host
	}
	for _, addr := range append(c.rabbitHosts(), c.HTTPS, c.HTTP, c.MQTTS, c.MQTT) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			continue
		}
		if ip := net.ParseIP(host); host == "" || loopbackHost(host) || ip != nil && ip.IsUnspecified() {
			return "localhost"
		}
		return host
	}
	return "localhost"
}

package rabbitmq

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseAddress(t *testing.T) {
	for s, want := range map[string]Address{
		"rabbitmq://kii:pw@rabbit": {User: "kii", Password: "pw", Hosts: []string{"rabbit:5672"}, VHost: "/",
			Management: []string{"http://rabbit:15672"}},
		"rabbitmq://kii:p%40w@h1:1,h2,[::1]:3/pu%2Fsh?management=http://m1:5,https://m2:6/&clean=allow": {User: "kii", Password: "p@w",
			Hosts: []string{"h1:1", "h2:5672", "[::1]:3"}, VHost: "pu/sh", Management: []string{"http://m1:5", "https://m2:6"}, CleanStart: true},
		"rabbitmqs://kii:a:b@[fe80::1]/": {User: "kii", Password: "a:b", Hosts: []string{"[fe80::1]:5671"}, TLS: true, VHost: "/",
			Management: []string{"https://[fe80::1]:15671"}},
		"rabbitmqs://kii:pw@rabbit?cacertfile=/etc/ca.pem&certfile=c.pem&keyfile=k.pem&server_name_indication=mq": {User: "kii", Password: "pw", Hosts: []string{"rabbit:5671"},
			TLS: true, VHost: "/", Management: []string{"https://rabbit:15671"}, CAFile: "/etc/ca.pem", CertFile: "c.pem", KeyFile: "k.pem", ServerName: "mq"},
	} {
		got, err := ParseAddress(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
		assert.True(t, IsAddress(s))
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for s, why := range map[string]string{
		"amqp://kii:secret@host":                                  "rabbitmq://",
		"rabbitmq://host":                                         "user and password",
		"rabbitmq://kii@host":                                     "is empty",
		"rabbitmq://kii:secret@":                                  "host is empty",
		"rabbitmq://kii:secret@h1,,h2":                            "host is empty",
		"rabbitmq://kii:secret@::1":                               "host:port",
		"rabbitmq://kii:%zzsecret@host":                           "hexadecimal",
		"rabbitmq://kii:secret@host?management=host:15672":        "management",
		"rabbitmq://kii:secret@host?management=http://a:secret@b": "without user",
		"rabbitmq://kii:secret@host?clean=yes":                    "allow or refuse",
		"rabbitmq://kii:secret@host?manage=http://x":              "not an option",
		"rabbitmq://kii:secret@host?%zz":                          "name=value",
		"rabbitmqs://kii:secret@host?certfile=c.pem":              "go together",
		"rabbitmq://kii:secret@host?cacertfile=ca.pem":            "rabbitmqs://",
	} {
		_, err := ParseAddress(s)
		require.ErrorContains(t, err, why, s)
		assert.NotContains(t, err.Error(), "secret")
	}
}

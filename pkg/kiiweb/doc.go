// Package kiiweb receives pushes from a Kii Cloud compatible backend over MQTT. It
// is the same API in a browser (GOOS=js) and natively, for things and servers.
//
// The journey is: log in, because pushes go to users and things; install, which
// registers the owner for push; fetch the endpoint, which says where and as whom to
// connect; connect; and in the end uninstall.
//
//	client, err := kiiweb.New(kiiweb.Config{AppID: id, AppKey: key, Site: kiiweb.SiteJP})
//	login, err := client.Login(ctx, username, password)
//	installation, err := client.InstallMQTT(ctx, false)
//	endpoint, err := client.MQTTEndpoint(ctx, installation.InstallationID)
//	conn, err := client.Connect(ctx, endpoint, kiiweb.ConnectOptions{OnMessages: handle})
//
// Who is to be told something subscribes to a topic: SendToTopic reaches the
// installations of all subscribers, users and things, over the connections above. The
// app's topics are made by administrators; users and things have topics of their own.
//
// # Connections
//
// A Connection heals itself: it connects again after a loss, waiting longer after
// each failure, keeps itself alive, and fetches its endpoint again when the broker
// refuses the credentials or the topic, or X-MQTT-TTL has passed. Its life is told by
// OnState and State. It ends when it is closed, when its installation is removed (REVOKED), or
// for a cause that no retry mends.
//
// There is one connection per owner. A second one displaces the first, which then
// stays quiet in the state displaced until TakeBack.
//
// A message is acknowledged when its handler has returned, and what was not
// acknowledged is sent again; so a crash may repeat a push, but loses none.
//
// # Errors and time
//
// Every error is an *Error with a Code, a sentence and a Remedy. Arguments and the
// login are checked before anything is sent. Every call ends: with its context, and
// without a deadline there after DefaultTimeout.
//
// # Security
//
// Login and MQTT credentials travel encrypted, or not at all: http, ws and tcp are
// refused with INSECURE, except to this machine or with Config.AllowInsecure.
// Passwords and tokens appear in no error and no log.
package kiiweb

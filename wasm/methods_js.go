package main

import (
	"context"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// method is a function of the API that belongs to a client. One of call, enter, command
// and question does it; the last three are for methods that differ in nothing but that.
type method struct {
	name     string
	arity    int // number of its own arguments; the call's options follow them
	call     func(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error)
	enter    func(c *kiiweb.Client, ctx context.Context, who, password string) (kiiweb.Login, error)
	who      string // what errors call the first argument of enter
	command  func(c *kiiweb.Client, ctx context.Context, t kiiweb.Topic) error
	question func(c *kiiweb.Client, ctx context.Context, t kiiweb.Topic) (bool, error)
}

// clientMethods are all of them but connect. The table is data: a map would be code.
var clientMethods = [...]method{
	{name: "register", arity: 2, enter: (*kiiweb.Client).Register, who: "loginName"},
	{name: "login", arity: 2, enter: (*kiiweb.Client).Login, who: "username"},
	{name: "registerThing", arity: 2, enter: (*kiiweb.Client).RegisterThing, who: "vendorThingID"},
	{name: "loginAsThing", arity: 2, enter: (*kiiweb.Client).LoginAsThing, who: "vendorThingID"},
	{name: "useToken", arity: 2, call: useToken},
	{name: "logout", arity: 0, call: logout},
	{name: "installMqtt", arity: 1, call: installMqtt},
	{name: "getMqttEndpoint", arity: 1, call: getMqttEndpoint},
	{name: "uninstall", arity: 2, call: uninstall},
	{name: "uninstallByInstallationID", arity: 1, call: uninstallByInstallationID},
	{name: "sendToMe", arity: 1, call: sendToMe},
	{name: "createTopic", arity: 1, command: (*kiiweb.Client).CreateTopic},
	{name: "deleteTopic", arity: 1, command: (*kiiweb.Client).DeleteTopic},
	{name: "topicExists", arity: 1, question: (*kiiweb.Client).TopicExists},
	{name: "listTopics", arity: 2, call: listTopics},
	{name: "subscribe", arity: 1, command: (*kiiweb.Client).Subscribe},
	{name: "unsubscribe", arity: 1, command: (*kiiweb.Client).Unsubscribe},
	{name: "isSubscribed", arity: 1, question: (*kiiweb.Client).IsSubscribed},
	{name: "sendToTopic", arity: 2, call: sendToTopic},
}

// run reads the arguments, calls the client and gives its answer to JavaScript.
func (m *method) run(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	if m.call != nil {
		return m.call(ctx, c, args)
	}
	if m.enter != nil {
		r := reader{args: args}
		who, password := r.text(0, m.who), r.text(1, "password")
		if r.err != nil {
			return nil, r.err
		}
		return loginToJS(m.enter(c, ctx, who, password))
	}
	topic, err := readTopic(arg(args, 0))
	if err != nil {
		return nil, err
	}
	if m.question != nil {
		return m.question(c, ctx, topic)
	}
	return js.Undefined(), m.command(c, ctx, topic)
}

func useToken(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	r := reader{args: args}
	token := r.text(0, "token")
	if r.err != nil {
		return nil, r.err
	}
	owner, err := readOwner(arg(args, 1))
	if err != nil {
		return nil, err
	}
	return loginToJS(c.UseToken(ctx, token, owner))
}

func logout(_ context.Context, c *kiiweb.Client, _ []js.Value) (any, error) {
	c.Logout()
	return js.Undefined(), nil
}

func installMqtt(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	development, err := jsx.Bool("development", arg(args, 0))
	if err != nil {
		return nil, err
	}
	i, err := c.InstallMQTT(ctx, development)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"installationID":             i.InstallationID,
		"installationRegistrationID": i.InstallationRegistrationID,
	}, nil
}

func getMqttEndpoint(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	r := reader{args: args}
	id := r.text(0, "installationID")
	if r.err != nil {
		return nil, r.err
	}
	return endpointToJS(c.MQTTEndpoint(ctx, id))
}

func uninstall(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	r := reader{args: args}
	id, deviceType := r.text(0, "installationRegistrationID"), r.text(1, "deviceType")
	if r.err != nil {
		return nil, r.err
	}
	return js.Undefined(), c.Uninstall(ctx, id, deviceType)
}

func uninstallByInstallationID(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	r := reader{args: args}
	id := r.text(0, "installationID")
	if r.err != nil {
		return nil, r.err
	}
	return js.Undefined(), c.UninstallByInstallationID(ctx, id)
}

func sendToMe(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	message, err := readPushMessage(arg(args, 0))
	if err != nil {
		return nil, err
	}
	return pushToJS(c.SendToMe(ctx, message))
}

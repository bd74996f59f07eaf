package main

import (
	"context"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// method is a function of the API that belongs to a client.
type method struct {
	arity int // number of its own arguments; the call's options follow them
	call  func(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error)
}

// clientMethods are all of them but connect.
var clientMethods = map[string]method{
	"register":                  {2, register},
	"login":                     {2, login},
	"useToken":                  {2, useToken},
	"logout":                    {0, logout},
	"installMqtt":               {1, installMqtt},
	"getMqttEndpoint":           {1, getMqttEndpoint},
	"uninstall":                 {2, uninstall},
	"uninstallByInstallationID": {1, uninstallByInstallationID},
	"sendToMe":                  {1, sendToMe},
}

func register(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	r := reader{args: args}
	name, password := r.text(0, "loginName"), r.text(1, "password")
	if r.err != nil {
		return nil, r.err
	}
	return loginToJS(c.Register(ctx, name, password))
}

func login(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	r := reader{args: args}
	name, password := r.text(0, "username"), r.text(1, "password")
	if r.err != nil {
		return nil, r.err
	}
	return loginToJS(c.Login(ctx, name, password))
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
	id, err := c.SendToMe(ctx, message)
	if err != nil {
		return nil, err
	}
	return map[string]any{"pushMessageID": id}, nil
}

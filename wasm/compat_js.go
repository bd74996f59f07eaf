package main

import (
	"context"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// compatMethods serve the classes of kiiweb/compat, at which users and things are logged in
// side by side. They are between the module and its loader, and no part of the public types.
var compatMethods = [...]method{
	{name: "as", arity: 4, call: as},
	{name: "ask", arity: 1, call: ask},
}

// as calls a method of clientMethods, by its name and with at most two arguments, as the login
// { token, userID or thingID }, or as nobody. The client's own login does not take part.
func as(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	c = c.Sibling()
	if login := arg(args, 0); !absent(login) {
		var token string
		f := fieldsOf("login", login)
		f.required("token", &token)
		if f.err != nil {
			return nil, f.err
		}
		owner, err := readOwner(login)
		if err != nil {
			return nil, err
		}
		if _, err := c.UseToken(ctx, token, owner); err != nil {
			return nil, err
		}
	}
	name, err := jsx.NonEmpty("method", arg(args, 1))
	if err != nil {
		return nil, err
	}
	for i := range clientMethods {
		if m := &clientMethods[i]; m.name == name {
			return m.run(ctx, c, args[2:])
		}
	}
	return nil, fault.New(fault.InvalidArgument, "there is no method "+name)
}

// ask sends a request for which there is no method, and gives { status, body }.
func ask(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	var r kiiweb.Request
	var body string
	f := fieldsOf("request", arg(args, 0))
	f.required("action", &r.Action)
	f.required("method", &r.Method)
	f.text("mediaType", &r.MediaType)
	f.text("body", &body)
	f.text("paginationKey", &r.PaginationKey)
	f.text("token", &r.Token)
	_, path, _ := f.get("path")
	if f.err != nil {
		return nil, f.err
	}
	value, err := jsx.JSON("request.path", path)
	if err != nil {
		return nil, err
	}
	segments, _ := value.([]any)
	for _, segment := range segments {
		s, _ := segment.(string) // what is none is refused as an empty one
		r.Path = append(r.Path, s)
	}
	if body != "" {
		r.Body = []byte(body)
	}
	a, err := c.Ask(ctx, r)
	if err != nil {
		return nil, err
	}
	return map[string]any{"status": a.Status, "body": string(a.Body)}, nil
}

package main

import (
	"context"
	"syscall/js"

	"github.com/kiiweb/kiiweb/internal/fault"
	"github.com/kiiweb/kiiweb/internal/jsx"
	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

func listTopics(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	var scope kiiweb.Topic
	if v := arg(args, 0); !absent(v) {
		f := fieldsOf("scope", v)
		readScope(f, &scope)
		if f.err != nil {
			return nil, f.err
		}
	}
	key := ""
	if v := arg(args, 1); !absent(v) {
		var err error
		if key, err = jsx.NonEmpty("paginationKey", v); err != nil {
			return nil, err
		}
	}
	return topicsToJS(c.ListTopics(ctx, scope, key))
}

func sendToTopic(ctx context.Context, c *kiiweb.Client, args []js.Value) (any, error) {
	topic, err := readTopic(arg(args, 0))
	if err != nil {
		return nil, err
	}
	message, err := readPushMessage(arg(args, 1))
	if err != nil {
		return nil, err
	}
	return pushToJS(c.SendToTopic(ctx, topic, message))
}

// readTopic reads the name of a topic of the app, or { name } with an owner's id.
func readTopic(v js.Value) (t kiiweb.Topic, err error) {
	if jsx.TypeOf(v) == js.TypeString {
		t.Name, err = jsx.NonEmpty("topic", v)
		return t, err
	}
	f := fieldsOf("topic", v)
	if f.err != nil {
		return t, fault.New(fault.InvalidArgument, "topic must be a string, or an object with a name.")
	}
	f.required("name", &t.Name)
	readScope(f, &t)
	return t, f.err
}

func readScope(f *fields, t *kiiweb.Topic) {
	f.text("userID", &t.UserID)
	f.text("thingID", &t.ThingID)
}

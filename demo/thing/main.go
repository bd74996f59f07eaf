// Command thing is a device that receives pushes: the native client in a program of its
// own. It logs in as a thing (and registers it the first time), installs it for push,
// connects over TLS to the endpoint's portSSL and stays connected, whatever happens to
// the network.
//
//	make demo               # the local cloud, in another terminal
//	go run ./demo/thing     # this thing
//
// Standard output has one line per push: its JSON object. Standard error says the thing's
// state, and with it how to push to it. SIGINT or SIGTERM ends it cleanly; it stays
// installed, so that what is sent meanwhile comes when it is back, unless -uninstall is
// given. The exit code is 0 then, 1 when the connection cannot go on, 2 for wrong flags.
//
// The password can come from the environment variable KII_THING_PASSWORD instead of a
// flag, which other users of the machine could read.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// defaultCA is where the local cloud puts the certificate that has signed its own.
const defaultCA = ".kiicloud/ca.pem"

// goodbye bounds the clean end.
const goodbye = 10 * time.Second

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	} else if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	t := &thing{options: o, out: os.Stdout, log: os.Stderr}
	if err := t.run(ctx); err != nil {
		if known, ok := errors.AsType[*kiiweb.Error](err); ok {
			err = fmt.Errorf("%s: %w. %s", known.Code, err, known.Remedy)
		}
		t.say("%v", err)
		os.Exit(1)
	}
	t.say("stopped")
}

// options are the command's flags. Their defaults fit `make demo`.
type options struct {
	config       kiiweb.Config
	id, password string

	development, uninstall bool
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("thing", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.config.BaseURL, "api", "http://localhost:8080/api", "URL of the REST API")
	flags.StringVar(&o.config.AppID, "app", "demo", "the app's id")
	flags.StringVar(&o.config.AppKey, "key", "demo-key", "the app's key")
	flags.StringVar(&o.id, "id", "thing-1", "the thing's own id (vendorThingID)")
	flags.StringVar(&o.password, "password", "", "the thing's password (default $KII_THING_PASSWORD, else one for the demo)")
	flags.BoolVar(&o.development, "development", false, "install for the development environment")
	flags.BoolVar(&o.uninstall, "uninstall", false, "uninstall the thing at the end")
	ca := flags.String("ca", defaultCA, "PEM file with a CA to trust besides the system's; the default may be missing")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.password == "" {
		o.password = cmp.Or(os.Getenv("KII_THING_PASSWORD"), "the password of a demo thing")
	}
	o.config.RootCAs, err = os.ReadFile(*ca)
	if errors.Is(err, os.ErrNotExist) && *ca == defaultCA {
		err = nil
	}
	if flags.NArg() > 0 {
		err = errors.New("unexpected argument " + flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(stderr, "thing:", err)
	}
	return o, err
}

// thing is one run of the program.
type thing struct {
	options
	out, log io.Writer
	client   *kiiweb.Client
}

func (t *thing) say(format string, args ...any) { fmt.Fprintf(t.log, "thing: "+format+"\n", args...) }

// run goes the whole way, and returns nil when it was told to end.
func (t *thing) run(ctx context.Context) error {
	installation, err := t.receive(ctx)
	if ctx.Err() == nil {
		return err
	}
	if t.uninstall && installation.InstallationID != "" {
		t.say("uninstalling")
		end, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		return t.client.Uninstall(end, installation.InstallationRegistrationID, "MQTT")
	}
	return nil
}

// receive prints pushes until ctx or the connection ends.
func (t *thing) receive(ctx context.Context) (installation kiiweb.Installation, err error) {
	if t.client, err = kiiweb.New(t.config); err != nil {
		return installation, err
	}
	login, err := t.enter(ctx)
	if err != nil {
		return installation, err
	}
	if installation, err = t.client.InstallMQTT(ctx, t.development); err != nil {
		return installation, err
	}
	t.say("push to it with POST %s/apps/%s/things/%s/push/messages", t.config.BaseURL, t.config.AppID, login.Owner.ID)
	endpoint, err := t.client.MQTTEndpoint(ctx, installation.InstallationID)
	if err != nil {
		return installation, err
	}
	trouble := make(chan error, 2) // what ends the program although the connection goes on
	conn, err := t.client.Connect(ctx, endpoint, kiiweb.ConnectOptions{
		Transport:  kiiweb.TransportSSL,
		OnMessages: func(batch []kiiweb.Message) { t.print(batch, trouble) },
		OnState:    func(c kiiweb.Change) { t.changed(c, trouble) },
	})
	if err != nil {
		return installation, err
	}
	select {
	case <-ctx.Done():
	case err = <-trouble:
	case <-conn.Done():
		err = conn.State().Err
	}
	end, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return installation, cmp.Or(err, conn.Close(end))
}

// enter logs in, and registers a thing that is new. The cloud does not say whether an id is
// unknown or its password wrong; that the id is taken says it.
func (t *thing) enter(ctx context.Context) (kiiweb.Login, error) {
	login, wrong := t.client.LoginAsThing(ctx, t.id, t.password)
	if kiiweb.CodeOf(wrong) != kiiweb.CodeBadCredentials {
		return login, wrong
	}
	login, err := t.client.RegisterThing(ctx, t.id, t.password)
	if kiiweb.CodeOf(err) == kiiweb.CodeConflict {
		return login, wrong
	}
	if err == nil {
		t.say("registered %s", t.id)
	}
	return login, err
}

// print writes a line per push. A push counts as received when print has returned: where
// a line cannot be written it does not, so that the push will be sent again.
func (t *thing) print(batch []kiiweb.Message, trouble chan<- error) {
	for _, m := range batch {
		var line bytes.Buffer
		if err := json.Compact(&line, m.Payload); err != nil {
			t.say("a message that is no JSON was left out: %v", err)
			continue
		}
		line.WriteByte('\n')
		if _, err := t.out.Write(line.Bytes()); err != nil {
			trouble <- err
			select {} // until the program ends
		}
	}
}

// changed says the state. Where two programs are the same thing, the older gives way.
func (t *thing) changed(c kiiweb.Change, trouble chan<- error) {
	t.say("%s: %s", c.State, c.Reason)
	if c.State == kiiweb.StateDisplaced {
		trouble <- errors.New("another program is connected as this thing: end it, or give this one an -id of its own")
	}
}

//go:build !js

package kiiweb_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiiweb"
)

// The whole journey: log in, install, fetch the endpoint, connect, receive, uninstall.
func Example() {
	baseURL, stop := kiiweb.StartExampleCloud() // in real life: Site, or your cloud's URL
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	client, err := kiiweb.New(kiiweb.Config{AppID: "demo", AppKey: "demo-key", BaseURL: baseURL})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Login(ctx, "kate", "secret"); err != nil {
		log.Fatal(err)
	}
	installation, err := client.InstallMQTT(ctx, false)
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := client.MQTTEndpoint(ctx, installation.InstallationID)
	if err != nil {
		log.Fatal(err)
	}
	// In real life leave Transport out: the default is TLS.
	conn, err := client.Connect(ctx, endpoint, kiiweb.ConnectOptions{Transport: kiiweb.TransportTCP})
	if err != nil {
		log.Fatal(err)
	}

	if _, err := client.SendToMe(ctx, kiiweb.PushMessage{Data: map[string]any{"text": "hello"}}); err != nil {
		log.Fatal(err)
	}
	for message := range conn.Messages(ctx) {
		push, err := message.JSON()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(push["text"])
		break
	}

	if err := client.UninstallByInstallationID(ctx, installation.InstallationID); err != nil {
		log.Fatal(err)
	}
	<-conn.Done()
	fmt.Println(conn.State().State, conn.State().Code)
	// Output:
	// hello
	// closed REVOKED
}

package kiiweb

import (
	"context"
	"errors"
)

// deviceMQTT is the device type of every installation that this package makes.
const deviceMQTT = "MQTT"

// Installation registers its owner for push.
type Installation struct {
	InstallationID             string
	InstallationRegistrationID string
}

// InstallMQTT registers the login's owner for push: development true for the
// development environment, false for production. An owner who has an MQTT
// installation gets the same ids again, and the new value of development counts.
// NOT_LOGGED_IN: nobody is logged in.
func (c *Client) InstallMQTT(ctx context.Context, development bool) (Installation, error) {
	const action = "install push"
	login, err := c.authorized(action)
	if err != nil {
		return Installation{}, err
	}
	a, err := c.do(ctx, call{
		action: action,
		method: "POST",
		path:   c.app("/installations"),
		media:  "application/vnd.kii.InstallationCreationRequest+json",
		body:   map[string]any{"deviceType": deviceMQTT, "development": development},
		login:  login,
	})
	if err != nil {
		return Installation{}, err
	}
	inst, err := readInstallation(a)
	if err != nil {
		return Installation{}, err
	}
	c.remember(inst)
	return inst, nil
}

// Uninstall removes the installation with that installationRegistrationID;
// deviceType is "MQTT". Connections that this client holds for it end with REVOKED. NOT_FOUND:
// there is none, perhaps since an earlier call whose answer was lost.
func (c *Client) Uninstall(ctx context.Context, registrationID, deviceType string) error {
	if err := checkID("installationRegistrationID", registrationID); err != nil {
		return err
	}
	if deviceType != deviceMQTT {
		return invalid("Unsupported deviceType " + deviceType)
	}
	login, err := c.authorized(uninstallAction)
	if err != nil {
		return err
	}
	path := c.app("/installations/" + deviceMQTT + ":" + escape(registrationID))
	id, err := c.installationOf(ctx, login, registrationID, path)
	if err != nil {
		return err
	}
	return c.uninstall(ctx, login, path, id)
}

// UninstallByInstallationID removes the installation with that installationID.
// Connections that this client holds for it end with REVOKED. NOT_FOUND: there is none, perhaps since
// an earlier call whose answer was lost.
func (c *Client) UninstallByInstallationID(ctx context.Context, installationID string) error {
	if err := checkID("installationID", installationID); err != nil {
		return err
	}
	login, err := c.authorized(uninstallAction)
	if err != nil {
		return err
	}
	return c.uninstall(ctx, login, c.app("/installations/"+escape(installationID)), installationID)
}

const uninstallAction = "uninstall push"

func (c *Client) uninstall(ctx context.Context, login Login, path, installationID string) error {
	_, err := c.do(ctx, call{action: uninstallAction, method: "DELETE", path: path, login: login})
	if e, _ := errors.AsType[*Error](err); err == nil || e != nil && e.KiiCode == codeInstallationGone {
		c.revoke(installationID) // also when it was gone already, as after an answer that got lost
	}
	return err
}

// codeInstallationGone is the errorCode for an installation that does not exist.
const codeInstallationGone = "INSTALLATION_NOT_FOUND"

// installationOf gives the installationID that belongs to a registration id, so that
// its connections can be found. It is asked for only when there is a connection that
// may be meant and this client did not make the installation; "" when none is needed.
func (c *Client) installationOf(ctx context.Context, login Login, registrationID, path string) (string, error) {
	c.mu.Lock()
	id, known := c.registrations[registrationID]
	needed := len(c.connections) > 0
	c.mu.Unlock()
	if known || !needed {
		return id, nil
	}
	a, err := c.do(ctx, call{action: uninstallAction, method: "GET", path: path, login: login})
	if err != nil {
		return "", err
	}
	inst, err := readInstallation(a)
	if err != nil {
		return "", err
	}
	return inst.InstallationID, nil
}

func readInstallation(a *answer) (Installation, error) {
	f := a.fields()
	inst := Installation{
		InstallationID:             f.text("installationID"),
		InstallationRegistrationID: f.text("installationRegistrationID"),
	}
	return inst, f.done()
}

func (c *Client) remember(inst Installation) {
	c.mu.Lock()
	c.registrations[inst.InstallationRegistrationID] = inst.InstallationID
	c.mu.Unlock()
}

// revoke ends the connections of an installation that is gone, and forgets it.
func (c *Client) revoke(installationID string) {
	if installationID == "" {
		return
	}
	var gone []*Connection
	c.mu.Lock()
	for registration, id := range c.registrations {
		if id == installationID {
			delete(c.registrations, registration)
		}
	}
	for conn := range c.connections {
		if conn.installationID == installationID {
			gone = append(gone, conn)
		}
	}
	c.mu.Unlock()
	for _, conn := range gone {
		conn.revoke()
	}
}

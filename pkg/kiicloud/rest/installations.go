package rest

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	typeInstalled    = "application/vnd.kii.InstallationCreationResponse+json"
	typeInstallation = "application/vnd.kii.InstallationRetrievalResponse+json"
	typeEndpoint     = "application/vnd.kii.MQTTEndpointResponse+json"
)

func installationRoutes() []Route {
	return []Route{
		{"POST", inApp + "/installations", byAnyToken, 201, typeInstalled, "register the caller for push", (*API).install},
		{"GET", inApp + "/installations/{id}", byAnyToken, 200, typeInstallation, "read an installation, by its id or MQTT:{registration id}", (*API).readInstallation},
		{"DELETE", inApp + "/installations/{id}", byAnyToken, 204, "", "end an installation, by its id or MQTT:{registration id}", (*API).uninstall},
		{"GET", inApp + "/installations/{id}/mqtt-endpoint", byAnyToken, 200, typeEndpoint, "where and how to connect", (*API).endpoint},
	}
}

// InstallationStore keeps installations.
type InstallationStore interface {
	Install(ctx context.Context, i store.Installation) (store.Installation, bool, error)
	InstallationByID(ctx context.Context, appID, id string) (store.Installation, error)
	InstallationByRegistration(ctx context.Context, appID, deviceType, registrationID string) (store.Installation, error)
	InstallationsOf(ctx context.Context, o store.Owner) ([]store.Installation, error)
	DeleteInstallation(ctx context.Context, appID, id string) (store.Installation, error)
}

// deviceMQTT is the only type of device that this cloud pushes to.
const deviceMQTT = "MQTT"

type installRequest struct {
	DeviceType  string `json:"deviceType"`
	Development flag   `json:"development"`
	UserID      string `json:"userID"`
	ThingID     string `json:"thingID"`
}

type installResponse struct {
	InstallationID string `json:"installationID"`
	RegistrationID string `json:"installationRegistrationID"`
}

type installationResponse struct {
	installResponse
	DeviceType  string `json:"deviceType"`
	UserID      string `json:"userID,omitempty"`
	ThingID     string `json:"thingID,omitempty"`
	Development bool   `json:"development"`
}

func (a *API) install(c *call) (any, error) {
	var req installRequest
	if err := c.read(&req); err != nil {
		return nil, err
	}
	if req.DeviceType != deviceMQTT {
		return nil, invalidInput(`deviceType must be "MQTT".`)
	}
	owner, err := a.installOwner(c, req)
	if err != nil {
		return nil, err
	}
	now := a.Now()
	i, created, err := a.Store.Install(c.ctx(), store.Installation{
		Owner: owner, DeviceType: req.DeviceType, Development: bool(req.Development), CreatedAt: now, ReadyAt: now.Add(a.EndpointDelay),
	})
	if err == nil && created {
		err = a.ownerStays(c, i)
	}
	if err == nil { // also when it is there already: an earlier attempt may have got no further
		err = a.Engine.Prepare(c.ctx(), i)
	}
	if err != nil {
		return nil, err
	}
	c.w.Header().Set("Location", "/api/apps/"+c.app.ID+"/installations/"+i.ID)
	return installResponse{i.ID, i.RegistrationID}, nil
}

// installOwner is who shall receive: the caller, or whom an administrator names.
func (a *API) installOwner(c *call, req installRequest) (store.Owner, error) {
	if !c.isAdmin() {
		for kind, id := range map[store.OwnerKind]string{store.OwnerUser: req.UserID, store.OwnerThing: req.ThingID} {
			if id != "" && (kind != c.who.Kind || id != c.who.ID) {
				return store.Owner{}, c.notYours("Only an administrator can install for somebody else.")
			}
		}
		return c.who, nil
	}
	switch {
	case req.UserID != "" && req.ThingID != "":
		return store.Owner{}, invalidInput("Name the owner by userID or by thingID, not by both.")
	case req.UserID != "":
		o := store.Owner{AppID: c.app.ID, Kind: store.OwnerUser, ID: req.UserID}
		_, err := a.findUser(c.ctx(), o)
		return o, err
	case req.ThingID != "":
		t, err := a.findThing(c, req.ThingID)
		return store.Owner{AppID: c.app.ID, Kind: store.OwnerThing, ID: t.ID}, err
	default:
		return store.Owner{}, invalidInput("An administrator must name the owner by userID or thingID.")
	}
}

// ownerStays takes a new installation back when its owner was deleted in the very moment of
// the install: nothing would ever end it otherwise. The error is then the failure that
// tells of the missing owner.
func (a *API) ownerStays(c *call, i store.Installation) (err error) {
	if i.Owner.Kind == store.OwnerThing {
		_, err = a.findThing(c, i.Owner.ID)
	} else {
		_, err = a.findUser(c.ctx(), i.Owner)
	}
	if err == nil {
		return nil
	}
	gone, deleteErr := a.Store.DeleteInstallation(context.WithoutCancel(c.ctx()), c.app.ID, i.ID)
	if deleteErr == nil {
		a.revoke(c, gone)
	}
	return err
}

func (a *API) readInstallation(c *call) (any, error) {
	i, err := a.installation(c)
	if err != nil {
		return nil, err
	}
	res := installationResponse{installResponse: installResponse{i.ID, i.RegistrationID}, DeviceType: i.DeviceType, Development: i.Development}
	if i.Owner.Kind == store.OwnerThing {
		res.ThingID = i.Owner.ID
	} else {
		res.UserID = i.Owner.ID
	}
	return res, nil
}

func (a *API) uninstall(c *call) (any, error) {
	i, err := a.installation(c)
	if err != nil {
		return nil, err
	}
	i, err = a.Store.DeleteInstallation(c.ctx(), c.app.ID, i.ID)
	if errors.Is(err, store.ErrNotFound) { // somebody else was faster
		return nil, installationNotFound(c)
	}
	if err != nil {
		return nil, err
	}
	a.revoke(c, i)
	return nil, nil
}

// revoke ends the connection of an installation whose row is gone, also when the caller
// does not wait for it. Nothing can be pushed any more, so the promise holds even when the
// connection that is still open could not be told.
func (a *API) revoke(c *call, i store.Installation) {
	if err := a.Engine.Revoke(context.WithoutCancel(c.ctx()), i); err != nil {
		a.Logger.Error("an installation has ended but its connection may be open", "installation", i.ID, "error", err)
	}
}

// installation finds the installation that the path names, by its id or by type and
// registration id, and checks that the caller may use it.
func (a *API) installation(c *call) (i store.Installation, err error) {
	id := c.r.PathValue("id")
	if deviceType, registrationID, ok := strings.Cut(id, ":"); ok {
		i, err = a.Store.InstallationByRegistration(c.ctx(), c.app.ID, deviceType, registrationID)
	} else {
		i, err = a.Store.InstallationByID(c.ctx(), c.app.ID, id)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return i, installationNotFound(c)
	case err != nil:
		return i, err
	case !c.mayActFor(i.Owner):
		return i, c.notYours("The installation belongs to somebody else.")
	}
	return i, nil
}

func installationNotFound(c *call) *failure {
	f := notFound("INSTALLATION_NOT_FOUND", "There is no such installation.").with("appID", c.app.ID)
	id := c.r.PathValue("id")
	if deviceType, registrationID, ok := strings.Cut(id, ":"); ok {
		return f.with("deviceType", deviceType).with("installationRegistrationID", registrationID)
	}
	return f.with("installationID", id)
}

type endpointResponse struct {
	InstallationID string `json:"installationID"`
	Username       string `json:"username"`
	Password       string `json:"password"`
	Topic          string `json:"mqttTopic"`
	Host           string `json:"host"`
	PortTCP        int    `json:"portTCP"`
	PortSSL        int    `json:"portSSL"`
	PortWS         int    `json:"portWS"`
	PortWSS        int    `json:"portWSS"`
	TTL            int64  `json:"X-MQTT-TTL"` // seconds
}

func (a *API) endpoint(c *call) (any, error) {
	i, err := a.installation(c)
	if err != nil {
		return nil, err
	}
	if i.DeviceType != deviceMQTT {
		return nil, notFound("MQTT_ENDPOINT_NOT_FOUND", "The installation is not one for MQTT.").with("installationID", i.ID).with("appID", c.app.ID)
	}
	// A longer wait than any install has asked for is a clock's: set back since, or another process's.
	if wait := i.ReadyAt.Sub(a.Now()); wait > 0 && wait <= a.EndpointDelay {
		return nil, fail(http.StatusServiceUnavailable, "MQTT_ENDPOINT_NOT_READY", "The endpoint is being prepared; ask again in a moment.").retryAfter(wait)
	}
	e, err := a.Engine.Endpoint(c.ctx(), i)
	if err != nil {
		return nil, err
	}
	ttl := min(int64(e.TTL/time.Second), math.MaxInt32)
	c.w.Header().Set("X-MQTT-TTL", strconv.FormatInt(ttl, 10))
	return endpointResponse{i.ID, e.Username, e.Password, e.Topic, e.Host, e.PortTCP, e.PortSSL, e.PortWS, e.PortWSS, ttl}, nil
}

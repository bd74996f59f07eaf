package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

const (
	typeThing           = "application/vnd.kii.ThingRetrievalResponse+json"
	typeThingRegistered = "application/vnd.kii.ThingRegistrationResponse+json"
	typeThingAuthorized = "application/vnd.kii.ThingRegistrationAndAuthorizationResponse+json"
	typeThingStatus     = "application/vnd.kii.ThingStatusRetrievalResponse+json"
)

func thingRoutes() []Route {
	const thing = inApp + "/things/{thingID}"
	const byItself = ByThing | ByAdmin | ByUser // users are told that the thing is not theirs
	return []Route{
		{"POST", inApp + "/things", ByNobody, 201, typeThingRegistered, "register a thing", (*API).registerThing},
		{"GET", thing, byItself, 200, typeThing, "read a thing, by its id or VENDOR_THING_ID:{vendor's id}", (*API).readThing},
		{"PATCH", thing, byItself, 204, "", "update those fields of a thing that are sent", (*API).updateThing},
		{"DELETE", thing, byItself, 204, "", "delete a thing and all that is its own", (*API).deleteThing},
		{"GET", thing + "/status", byItself, 200, typeThingStatus, "tell whether a thing is disabled", (*API).thingStatus},
		{"PUT", thing + "/status", ByAdmin, 204, "", "disable a thing, which ends its tokens and its connection, or enable it", (*API).setThingStatus},
		{"PUT", thing + "/password", ByAdmin, 204, "", "change a thing's password, which ends its tokens", (*API).changeThingPassword},
		{"POST", thing + "/push/messages", byItself, 201, typePushed, "push to a thing", (*API).pushToThing},
	}
}

// ThingStore keeps things.
type ThingStore interface {
	CreateThing(ctx context.Context, t store.Thing) (store.Thing, error)
	UpdateThing(ctx context.Context, appID, id string, change func(*store.Thing) error) error
	ThingByID(ctx context.Context, appID, id string) (store.Thing, error)
	ThingByVendorID(ctx context.Context, appID, vendorThingID string) (store.Thing, error)
}

// byVendorID is how a path, or a login, names a thing by its vendor's id.
const byVendorID = "VENDOR_THING_ID:"

// loggedInThing is the content type of a registration that logs in at once; with any other
// the answer has no token.
const loggedInThing = "application/vnd.kii.thingregistrationandauthorizationrequest+json"

const notYourThing = "A thing is for itself and for administrators."

func (a *API) registerThing(c *call) (any, error) {
	if err := a.mayRegister(c); err != nil {
		return nil, err
	}
	all, kept, err := c.readThing()
	if err != nil {
		return nil, err
	}
	vendorID, password, err := all.newThing()
	if err != nil {
		return nil, err
	}
	t := store.Thing{AppID: c.app.ID, VendorThingID: vendorID, CreatedAt: a.Now()}
	if t.Fields, err = kept.encode(); err != nil {
		return nil, err
	}
	_, err = a.Store.ThingByVendorID(c.ctx(), c.app.ID, vendorID) // before the hash, which is dear
	if err == nil {
		return nil, thingExists(c, vendorID)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if t.PasswordHash, err = a.passwords.hash(c.ctx(), password); err != nil {
		return nil, err
	}
	t, err = a.Store.CreateThing(c.ctx(), t)
	if errors.Is(err, store.ErrExists) {
		return nil, thingExists(c, vendorID)
	}
	if err != nil {
		return nil, err
	}
	return a.thingRegistered(c, t)
}

func (a *API) thingRegistered(c *call, t store.Thing) (any, error) {
	c.w.Header().Set("Location", "/api/apps/"+c.app.ID+"/things/"+t.ID)
	res, err := describeThing(t)
	if err != nil || c.contentType() != loggedInThing {
		return res, err
	}
	login, err := a.issue(c, store.Owner{AppID: t.AppID, Kind: store.OwnerThing, ID: t.ID}, t.PasswordHash, nil)
	c.produces, res["_accessToken"] = typeThingAuthorized, login.AccessToken
	return res, err
}

func (a *API) readThing(c *call) (any, error) {
	t, err := a.ownThing(c, c.r.PathValue("thingID"), notYourThing)
	if err != nil {
		return nil, err
	}
	return describeThing(t)
}

func (a *API) updateThing(c *call) (any, error) {
	o, err := a.thingFor(c, c.r.PathValue("thingID"), notYourThing)
	if err != nil {
		return nil, err
	}
	_, kept, err := c.readThing()
	if err != nil {
		return nil, err
	}
	return nil, a.changeThing(c, o, func(t *store.Thing) error {
		all, err := decodeFields(t.Fields)
		if err != nil {
			return err
		}
		for name, value := range kept {
			all[name] = value
		}
		t.Fields, err = all.encode()
		return err
	})
}

func (a *API) deleteThing(c *call) (any, error) {
	o, err := a.thingFor(c, c.r.PathValue("thingID"), notYourThing)
	if err != nil {
		return nil, err
	}
	return nil, a.deleteOwner(c, o, thingNotFound(c, o.ID))
}

type thingStatus struct {
	Disabled *flag `json:"disabled"`
}

func (a *API) thingStatus(c *call) (any, error) {
	t, err := a.ownThing(c, c.r.PathValue("thingID"), notYourThing)
	if err != nil {
		return nil, err
	}
	disabled := flag(t.Disabled)
	return thingStatus{&disabled}, nil
}

// setThingStatus leaves the thing's installation alone, but for its connection: what is pushed
// to a disabled thing waits until it is enabled and comes back.
func (a *API) setThingStatus(c *call) (any, error) {
	o, err := a.thingFor(c, c.r.PathValue("thingID"), notYourThing)
	if err != nil {
		return nil, err
	}
	var req thingStatus
	if err := c.read(&req); err != nil {
		return nil, err
	}
	if req.Disabled == nil {
		return nil, invalidInput("disabled is missing; it is true or false.")
	}
	err = a.changeThing(c, o, func(t *store.Thing) error {
		t.Disabled = bool(*req.Disabled)
		return nil
	})
	if err != nil || !bool(*req.Disabled) {
		return nil, err
	}
	ctx := context.WithoutCancel(c.ctx()) // the thing is disabled, whether the caller waits or not
	installed, err := a.Store.InstallationsOf(ctx, o)
	for _, i := range installed {
		a.Engine.Disconnect(i)
	}
	return nil, err
}

func (a *API) changeThing(c *call, o store.Owner, change func(*store.Thing) error) error {
	err := a.Store.UpdateThing(c.ctx(), o.AppID, o.ID, change)
	if errors.Is(err, store.ErrNotFound) {
		return thingNotFound(c, o.ID)
	}
	return err
}

func (a *API) changeThingPassword(c *call) (any, error) {
	o, err := a.thingFor(c, c.r.PathValue("thingID"), notYourThing)
	if err != nil {
		return nil, err
	}
	req, err := c.readPassword()
	if err != nil {
		return nil, err
	}
	return nil, a.setPassword(c, o, "", req.New, thingNotFound(c, o.ID))
}

func (a *API) pushToThing(c *call) (any, error) {
	to, err := a.thingFor(c, c.r.PathValue("thingID"), "Only the thing itself and administrators can push to a thing.")
	if err != nil {
		return nil, err
	}
	return a.pushTo(c, to)
}

// findThing finds a thing as paths name it: by its id, or by VENDOR_THING_ID: and the
// vendor's.
func (a *API) findThing(c *call, name string) (store.Thing, error) {
	var t store.Thing
	var err error
	if vendorID, ok := strings.CutPrefix(name, byVendorID); ok {
		t, err = a.Store.ThingByVendorID(c.ctx(), c.app.ID, vendorID)
	} else {
		t, err = a.Store.ThingByID(c.ctx(), c.app.ID, name)
	}
	if errors.Is(err, store.ErrNotFound) {
		return t, thingNotFound(c, name)
	}
	return t, err
}

func thingNotFound(c *call, name string) *failure {
	field, value := "thingID", name
	if vendorID, ok := strings.CutPrefix(name, byVendorID); ok {
		field, value = "vendorThingID", vendorID
	}
	return notFound("THING_NOT_FOUND", "There is no such thing.").with("field", field).with("value", value).with("appID", c.app.ID)
}

func thingExists(c *call, vendorID string) *failure {
	return fail(http.StatusConflict, "THING_ALREADY_EXISTS", "A thing with this _vendorThingID exists already.").
		with("vendorThingID", vendorID).with("appID", c.app.ID)
}

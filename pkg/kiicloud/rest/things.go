package rest

import (
	"context"
	"errors"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

func thingRoutes() []Route { return nil }

// ThingStore keeps things.
type ThingStore interface {
	CreateThing(ctx context.Context, t store.Thing) (store.Thing, error)
	ThingByID(ctx context.Context, appID, id string) (store.Thing, error)
	ThingByVendorID(ctx context.Context, appID, vendorThingID string) (store.Thing, error)
}

// byVendorID is how a path, or a login, names a thing by its vendor's id.
const byVendorID = "VENDOR_THING_ID:"

// findThing finds a thing as paths name it: by its id, or by VENDOR_THING_ID: and the
// vendor's.
func (a *API) findThing(c *call, name string) (store.Thing, error) {
	var t store.Thing
	var err error
	field, value := "thingID", name
	if vendorID, ok := strings.CutPrefix(name, byVendorID); ok {
		field, value = "vendorThingID", vendorID
		t, err = a.Store.ThingByVendorID(c.ctx(), c.app.ID, vendorID)
	} else {
		t, err = a.Store.ThingByID(c.ctx(), c.app.ID, name)
	}
	if errors.Is(err, store.ErrNotFound) {
		return t, notFound("THING_NOT_FOUND", "There is no such thing.").with("field", field).with("value", value).with("appID", c.app.ID)
	}
	return t, err
}

package kiiweb

import "context"

// RegisterThing creates a thing and logs in as it, in one request. vendorThingID is the
// maker's id of it, such as a serial number. CONFLICT: it is registered already, perhaps
// by an earlier call whose answer was lost; LoginAsThing says with its password which.
// The login before stays when this one fails.
func (c *Client) RegisterThing(ctx context.Context, vendorThingID, password string) (Login, error) {
	if err := checkThing(vendorThingID, password); err != nil {
		return Login{}, err
	}
	a, err := c.do(ctx, call{
		action: "register thing",
		method: "POST",
		path:   c.app("/things"),
		media:  "application/vnd.kii.ThingRegistrationAndAuthorizationRequest+json",
		body:   map[string]any{"_vendorThingID": vendorThingID, "_password": password},
	})
	if err != nil {
		return Login{}, err
	}
	return c.enter(a, OwnerThing, "_thingID", "_accessToken")
}

// LoginAsThing logs a thing in with the id and the password of its registration.
// BAD_CREDENTIALS: one of them is wrong. The login before stays when this one fails.
func (c *Client) LoginAsThing(ctx context.Context, vendorThingID, password string) (Login, error) {
	if err := checkThing(vendorThingID, password); err != nil {
		return Login{}, err
	}
	return c.Login(ctx, thingLogin+vendorThingID, password)
}

func checkThing(vendorThingID, password string) error {
	if vendorThingID == "" {
		return invalid("vendorThingID must not be empty")
	}
	if password == "" {
		return invalid("password must not be empty")
	}
	return nil
}

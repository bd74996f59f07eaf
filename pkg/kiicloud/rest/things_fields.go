package rest

import (
	"encoding/json"
	"regexp"
	"strconv"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// What Kii allows in a vendor's id of a thing, and in what its vendor says of it. Nothing of
// it needs escaping in a URL.
var (
	validVendorID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`)
	validLabel    = regexp.MustCompile(`^[A-Za-z0-9._-]{0,100}$`)
)

// maxThingText is how many bytes one of a thing's string fields may have.
const maxThingText = 4096

// thingFieldKinds are the predefined fields that are kept with a thing. Other names that
// begin with an underscore are Kii's own, such as _thingID and _created, which the official
// SDK sends back with an update; they are left out without complaint.
var thingFieldKinds = func() map[string]string {
	kinds := map[string]string{"_layoutPosition": "label"}
	for _, name := range []string{"_thingType", "_vendor", "_firmwareVersion", "_productName", "_lot"} {
		kinds[name] = "label"
	}
	for i := 1; i <= 5; i++ {
		kinds["_stringField"+strconv.Itoa(i)] = "string"
		kinds["_numberField"+strconv.Itoa(i)] = "number"
	}
	return kinds
}()

// readThing reads the request's body and picks what is kept with a thing, checked.
func (c *call) readThing() (all, kept fields, err error) {
	if err := c.read(&all); err != nil {
		return nil, nil, err
	}
	kept = all.custom(nil)
	for name, kind := range thingFieldKinds {
		v, ok := all[name]
		if !ok || jsonKind(v) == "null" {
			continue
		}
		if err := checkThingField(name, kind, v); err != nil {
			return nil, nil, err
		}
		kept[name] = v
	}
	return all, kept, nil
}

func checkThingField(name, kind string, v json.RawMessage) error {
	if kind == "number" {
		if _, err := strconv.ParseInt(string(v), 10, 64); err != nil {
			return invalidInput("The field " + name + " must be an integer.")
		}
		return nil
	}
	s, err := fields{name: v}.text(name)
	switch {
	case err != nil:
		return err
	case kind == "label" && !validLabel.MatchString(*s):
		return invalidInput("The field " + name + " must have at most 100 letters, digits, dots, hyphens or underscores.")
	case len(*s) > maxThingText:
		return invalidInput("The field " + name + " must have at most 4096 bytes.")
	}
	return nil
}

// newThing picks and checks what a registration alone has.
func (f fields) newThing() (vendorID, password string, err error) {
	for name, to := range map[string]*string{"_vendorThingID": &vendorID, "_password": &password} {
		s, err := f.text(name)
		if err != nil {
			return "", "", err
		}
		if s != nil {
			*to = *s
		}
	}
	switch {
	case vendorID == "":
		err = invalidInput("_vendorThingID is missing.")
	case !validVendorID.MatchString(vendorID):
		err = invalidInput("_vendorThingID must have 1 to 200 letters, digits, dots, hyphens or underscores.")
	case password == "":
		err = invalidInput("_password is missing.")
	case len(password) < minPassword || len(password) > maxPassword:
		err = invalidInput("_password must have 4 to 256 bytes.")
	}
	return vendorID, password, err
}

// describeThing gives all that is known of a thing but its password.
func describeThing(t store.Thing) (map[string]any, error) {
	kept, err := decodeFields(t.Fields)
	if err != nil {
		return nil, err
	}
	res := map[string]any{"_thingID": t.ID, "_vendorThingID": t.VendorThingID, "_created": t.CreatedAt.UnixMilli(), "_disabled": t.Disabled}
	for name, value := range kept {
		res[name] = value
	}
	return res, nil
}

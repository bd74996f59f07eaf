package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// MaxObject is how many bytes of JSON an object's fields may have.
const MaxObject = MaxBody

// givenFields are those that an object has when it is read. Clients send them back with the
// rest, where they say nothing.
var givenFields = []string{"_id", "_created", "_modified", "_owner", "_version", "_dataType", "_calculated"}

// readFields reads an object's own fields from the request's body.
func (c *call) readFields() (fields, error) {
	var all fields
	if err := c.read(&all); err != nil {
		return nil, err
	}
	for _, k := range givenFields {
		delete(all, k)
	}
	var reserved []string
	for k := range all {
		if k == "" || k[0] == '_' {
			reserved = append(reserved, k)
		}
	}
	if len(reserved) > 0 {
		return nil, invalidInput("A field's name must not be empty or begin with an underscore.").with("field", slices.Min(reserved))
	}
	return all, nil
}

// object makes an object of the fields, as they will be stored.
func (f fields) object(dataType string) (*store.Object, error) {
	all := make(map[string]any, len(f))
	for k, v := range f {
		all[k] = v
	}
	text, err := compact(all)
	if err != nil {
		return nil, err
	}
	if len(text) > MaxObject {
		return nil, fail(http.StatusRequestEntityTooLarge, "OBJECT_TOO_LARGE",
			"The object would be "+strconv.Itoa(len(text))+" bytes of JSON; at most "+strconv.Itoa(MaxObject)+" are allowed.").
			with("size", len(text)).with("limit", MaxObject)
	}
	return &store.Object{DataType: dataType, Fields: text}, nil
}

// describe answers with the whole object: its own fields and those that it is given.
func (c *call) describe(o *store.Object) (map[string]any, error) {
	all, err := describeObject(o)
	if err != nil {
		return nil, err
	}
	c.tag(o)
	c.produces = contentType(o)
	return all, nil
}

func describeObject(o *store.Object) (map[string]any, error) {
	own, err := decodeFields(o.Fields)
	if err != nil {
		return nil, err
	}
	all := make(map[string]any, len(own)+6)
	for k, v := range own {
		all[k] = v
	}
	all["_id"] = o.ID
	all["_version"] = objectVersion(o)
	all["_created"] = o.CreatedAt.UnixMilli()
	all["_modified"] = o.ModifiedAt.UnixMilli()
	if o.Owner.Kind != store.OwnerAdmin {
		all["_owner"] = o.Owner.ID
	}
	if o.DataType != "" {
		all["_dataType"] = o.DataType
	}
	return all, nil
}

// dataType gives the type that the content type application/vnd.{appID}.{type}+json names.
// Any other content type names none.
func (c *call) dataType() string {
	media, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	name, ok := strings.CutPrefix(strings.TrimSpace(media), "application/vnd."+c.app.ID+".")
	name, json := strings.CutSuffix(name, "+json")
	if !ok || !json || !isName(name, 1, 64, "-_.") {
		return ""
	}
	return name
}

func contentType(o *store.Object) string {
	if o.DataType == "" {
		return typeJSON
	}
	return "application/vnd." + o.Bucket.Scope.AppID + "." + o.DataType + "+json"
}

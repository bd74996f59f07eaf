package rest

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/store"
)

// objectResponse answers a write that sent the whole object.
type objectResponse struct {
	ID         string `json:"objectID"`
	CreatedAt  int64  `json:"createdAt"`  // ms since 1970
	ModifiedAt int64  `json:"modifiedAt"` // ms since 1970
	DataType   string `json:"dataType"`   // a content type
}

func (a *API) createObject(c *call) (any, error) {
	b, err := a.bucket(c)
	if err != nil {
		return nil, err
	}
	fields, err := c.readFields()
	if err != nil {
		return nil, err
	}
	o, _, err := a.changeObject(c, b, store.NewID(), condition{}, func(*store.Object) (*store.Object, error) {
		return fields.object(c.dataType())
	})
	if err != nil {
		return nil, err
	}
	return c.created(o), nil
}

func (a *API) readObject(c *call) (any, error) {
	b, id, err := a.object(c)
	if err != nil {
		return nil, err
	}
	o, err := a.Store.ObjectByID(c.ctx(), b, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, objectNotFound(b, id)
	}
	if err != nil {
		return nil, err
	}
	return c.describe(&o)
}

func (a *API) replaceObject(c *call) (any, error) {
	b, id, when, fields, err := a.writing(c)
	if err != nil {
		return nil, err
	}
	o, created, err := a.changeObject(c, b, id, when, func(*store.Object) (*store.Object, error) {
		return fields.object(c.dataType())
	})
	if err != nil {
		return nil, err
	}
	if created {
		c.status, c.produces = http.StatusCreated, typeObjectCreated
		return c.created(o), nil
	}
	return c.stored(o), nil
}

func (a *API) updateObject(c *call) (any, error) {
	b, id, when, fields, err := a.writing(c)
	if err != nil {
		return nil, err
	}
	o, _, err := a.changeObject(c, b, id, when, func(old *store.Object) (*store.Object, error) {
		if old == nil {
			return nil, objectNotFound(b, id)
		}
		all, err := decodeFields(old.Fields)
		if err != nil {
			return nil, err
		}
		for k, v := range fields {
			all[k] = v
		}
		return all.object(old.DataType)
	})
	if err != nil {
		return nil, err
	}
	return c.describe(o)
}

func (a *API) deleteObject(c *call) (any, error) {
	b, id, err := a.object(c)
	if err != nil {
		return nil, err
	}
	when := condition{match: c.r.Header.Get("If-Match")} // If-None-Match: * has no say here
	_, _, err = a.changeObject(c, b, id, when, func(old *store.Object) (*store.Object, error) {
		if old == nil {
			return nil, objectNotFound(b, id)
		}
		return nil, nil
	})
	return nil, err
}

// changeObject puts what next says in place of the object, where the condition holds and the
// caller may, and delivers the event. Everything is decided by the object as it is when the
// change is made. It gives what is stored, and whether that is a new object.
func (a *API) changeObject(c *call, b store.Bucket, id string, when condition, next func(old *store.Object) (*store.Object, error)) (o *store.Object, created bool, err error) {
	told, err := a.Store.ChangeObject(c.ctx(), b, id, func(old *store.Object) (store.ObjectChange, error) {
		if err := when.check(b, id, old); err != nil {
			return store.ObjectChange{}, err
		}
		if old != nil && !c.mayChange(old) {
			return store.ObjectChange{}, c.notYours("Only the creator of this object and administrators can change it.")
		}
		e := event{kind: objectUpdated, bucket: b, objectID: id, by: c.who, at: a.Now()}
		if o, err = next(old); err != nil {
			return store.ObjectChange{}, err
		}
		created = old == nil
		switch {
		case o == nil:
			e.kind = objectDeleted
		case created:
			e.kind = objectCreated
			o.Owner, o.CreatedAt, o.ModifiedAt = c.who, e.at, e.at
		default:
			o.ModifiedAt = e.at
		}
		push, err := e.push()
		return store.ObjectChange{Next: o, Event: push}, err
	})
	if err != nil {
		return nil, false, err
	}
	a.Engine.Stored(told)
	return o, created, nil
}

// object gives the bucket and the object's id that the path names.
func (a *API) object(c *call) (b store.Bucket, id string, err error) {
	if b, err = a.bucket(c); err != nil {
		return b, "", err
	}
	id = c.r.PathValue("object")
	if !isName(id, 2, 100, "-_.") || strings.Trim(id, ".") == "" {
		return b, "", invalidInput("An object's id has 2 to 100 letters, digits, hyphens, underscores and dots.").with("objectID", id)
	}
	return b, id, nil
}

// writing gives all that a request to write an object says.
func (a *API) writing(c *call) (b store.Bucket, id string, when condition, own fields, err error) {
	if b, id, err = a.object(c); err != nil {
		return b, id, when, nil, err
	}
	if when, err = c.condition(); err != nil {
		return b, id, when, nil, err
	}
	own, err = c.readFields()
	return b, id, when, own, err
}

// condition is what a request says of the object that it means to change.
type condition struct {
	absent bool   // If-None-Match: *, there must be none
	match  string // If-Match, the version that it must have
}

func (c *call) condition() (k condition, err error) {
	k.match = c.r.Header.Get("If-Match")
	switch c.r.Header.Get("If-None-Match") {
	case "":
		return k, nil
	case "*":
		k.absent = true
	default:
		return k, invalidInput("The header If-None-Match can only be *.")
	}
	if k.match != "" {
		return k, invalidInput("The headers If-Match and If-None-Match exclude each other.")
	}
	return k, nil
}

// check compares a version as the ETag has it, in quotes, and as the field _version has it.
func (k condition) check(b store.Bucket, id string, old *store.Object) error {
	switch {
	case k.absent && old != nil:
		return objectFailure(http.StatusConflict, "OBJECT_ALREADY_EXISTS", "There is an object with this id already.", b, id)
	case k.match == "":
		return nil
	case old == nil:
		return objectNotFound(b, id)
	case k.match != "*" && strings.Trim(k.match, `"`) != objectVersion(old):
		return objectFailure(http.StatusConflict, "OBJECT_VERSION_IS_STALE", "The object has changed since: read it again, then decide.", b, id)
	}
	return nil
}

func objectVersion(o *store.Object) string { return strconv.FormatInt(o.Version, 10) }

func objectNotFound(b store.Bucket, id string) *failure {
	return objectFailure(http.StatusNotFound, "OBJECT_NOT_FOUND", "There is no such object.", b, id)
}

func objectFailure(status int, code, message string, b store.Bucket, id string) *failure {
	return ofBucket(fail(status, code, message), b).with("objectID", id)
}

// created answers with a new object.
func (c *call) created(o *store.Object) objectResponse {
	inScope := strings.TrimPrefix(bucketURI(o.Bucket), "kiicloud://") // which are paths within the app
	c.w.Header().Set("Location", "/api/apps/"+c.app.ID+"/"+inScope+"/objects/"+o.ID)
	return c.stored(o)
}

func (c *call) stored(o *store.Object) objectResponse {
	c.tag(o)
	return objectResponse{o.ID, o.CreatedAt.UnixMilli(), o.ModifiedAt.UnixMilli(), contentType(o)}
}

func (c *call) tag(o *store.Object) { c.w.Header().Set("ETag", `"`+objectVersion(o)+`"`) }

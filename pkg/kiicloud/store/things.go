package store

import "context"

const (
	thingColumns = `app_id, id, vendor_thing_id, password_hash, fields, created_at`

	insertThing = `INSERT INTO things (` + thingColumns + `) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`

	thingByID       = `SELECT ` + thingColumns + ` FROM things WHERE app_id = $1 AND id = $2`
	thingByVendorID = `SELECT ` + thingColumns + ` FROM things WHERE app_id = $1 AND vendor_thing_id = $2`
)

// CreateThing stores a new thing and returns it; an empty ID is made. The error is
// ErrExists when the app has a thing with the same id or vendor thing id.
func (s *SQL) CreateThing(ctx context.Context, t Thing) (Thing, error) {
	if t.ID == "" {
		t.ID = NewID()
	}
	if t.CreatedAt.IsZero() {
		t.CreatedAt = s.now()
	}
	t.Fields = orEmptyObject(t.Fields)
	err := s.writer.do(ctx, func(x tx) error {
		n, err := x.affected(insertThing, t.AppID, t.ID, t.VendorThingID, t.PasswordHash, string(t.Fields), millis(t.CreatedAt))
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
	if err != nil {
		return Thing{}, wrap("create a thing", err)
	}
	return t, nil
}

// ThingByID finds a thing of an app. The error may be ErrNotFound.
func (s *SQL) ThingByID(ctx context.Context, appID, id string) (Thing, error) {
	return s.thing(ctx, thingByID, appID, id)
}

// ThingByVendorID finds a thing of an app by the id that its vendor gave it. The error may
// be ErrNotFound.
func (s *SQL) ThingByVendorID(ctx context.Context, appID, vendorThingID string) (Thing, error) {
	return s.thing(ctx, thingByVendorID, appID, vendorThingID)
}

func (s *SQL) thing(ctx context.Context, query, appID, id string) (t Thing, err error) {
	var fields string
	var created int64
	err = s.row(ctx, query, appID, id).Scan(&t.AppID, &t.ID, &t.VendorThingID, &t.PasswordHash, &fields, &created)
	if err != nil {
		return Thing{}, wrap("find a thing", notFound(err))
	}
	t.Fields, t.CreatedAt = []byte(fields), fromMillis(created)
	return t, nil
}

// orEmptyObject is what is stored where there are no fields.
func orEmptyObject(fields []byte) []byte {
	if len(fields) == 0 {
		return []byte("{}")
	}
	return fields
}

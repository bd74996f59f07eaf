package store

import "context"

const (
	thingColumns = `app_id, id, vendor_thing_id, password_hash, fields, disabled, created_at`

	insertThing = `INSERT INTO things (` + thingColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`
	updateThing = `UPDATE things SET fields = $3, disabled = $4 WHERE app_id = $1 AND id = $2`

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
		n, err := x.affected(insertThing, t.AppID, t.ID, t.VendorThingID, t.PasswordHash, string(t.Fields), bit(t.Disabled), millis(t.CreatedAt))
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

// UpdateThing changes a thing's Fields and Disabled to what change makes of them; all else
// that it changes is not stored. What change refuses, with an error, stays as it was. It
// may be called more than once, and must be quick: nobody else writes meanwhile. A thing
// that is disabled loses its tokens. The error may be ErrNotFound, or change's own.
func (s *SQL) UpdateThing(ctx context.Context, appID, id string, change func(*Thing) error) error {
	var refused error
	err := s.writer.do(ctx, func(x tx) error {
		t, err := scanThing(x.row(thingByID, appID, id))
		if err != nil {
			return err
		}
		was := t.Disabled
		if refused = change(&t); refused != nil {
			return nil
		}
		err = x.exec(updateThing, appID, id, string(orEmptyObject(t.Fields)), bit(t.Disabled))
		switch {
		case err != nil || t.Disabled == was:
			return err
		case was: // its connections are to last
			return x.exec(dropEndingsOfOwner, string(EndingDisabled), appID, string(OwnerThing), id)
		}
		if err := s.note(x, endingsOfOwner, EndingDisabled, appID, string(OwnerThing), id); err != nil {
			return err
		}
		return x.exec(deleteTokensOf, appID, string(OwnerThing), id)
	})
	if err != nil {
		return wrap("update a thing", err)
	}
	return refused
}

// ThingByID finds a thing of an app. The error may be ErrNotFound.
func (s *SQL) ThingByID(ctx context.Context, appID, id string) (Thing, error) {
	t, err := scanThing(s.row(ctx, thingByID, appID, id))
	return t, wrap("find a thing", err)
}

// ThingByVendorID finds a thing of an app by the id that its vendor gave it. The error may
// be ErrNotFound.
func (s *SQL) ThingByVendorID(ctx context.Context, appID, vendorThingID string) (Thing, error) {
	t, err := scanThing(s.row(ctx, thingByVendorID, appID, vendorThingID))
	return t, wrap("find a thing", err)
}

func scanThing(r scanner) (t Thing, err error) {
	var fields string
	var disabled, created int64
	err = r.Scan(&t.AppID, &t.ID, &t.VendorThingID, &t.PasswordHash, &fields, &disabled, &created)
	if err != nil {
		return Thing{}, notFound(err)
	}
	t.Fields, t.Disabled, t.CreatedAt = []byte(fields), disabled != 0, fromMillis(created)
	return t, nil
}

// orEmptyObject is what is stored where there are no fields.
func orEmptyObject(fields []byte) []byte {
	if len(fields) == 0 {
		return []byte("{}")
	}
	return fields
}

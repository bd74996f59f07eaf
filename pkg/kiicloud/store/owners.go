package store

import (
	"context"
	"errors"
)

const (
	deleteUser  = `DELETE FROM users WHERE app_id = $1 AND id = $2`
	deleteThing = `DELETE FROM things WHERE app_id = $1 AND id = $2`

	setUserPassword  = `UPDATE users SET password_hash = $3 WHERE app_id = $1 AND id = $2 AND ($4 = '' OR password_hash = $4)`
	setThingPassword = `UPDATE things SET password_hash = $3 WHERE app_id = $1 AND id = $2 AND ($4 = '' OR password_hash = $4)`

	countUser  = `SELECT COUNT(*) FROM users WHERE app_id = $1 AND id = $2`
	countThing = `SELECT COUNT(*) FROM things WHERE app_id = $1 AND id = $2`

	deleteInstallationsOf = `DELETE FROM installations WHERE app_id = $1 AND owner_kind = $2 AND owner_id = $3 RETURNING ` + installationColumns
)

// ofOwner is all else that belongs to a user or thing: by (app, kind, id) of the owner, or
// of the scope, whose kinds have the same names. An installation's queue and a topic's
// subscriptions go with them.
var ofOwner = []string{
	deleteTokensOf,
	`DELETE FROM topic_subscriptions WHERE app_id = $1 AND owner_kind = $2 AND owner_id = $3`,
	`DELETE FROM bucket_subscriptions WHERE app_id = $1 AND owner_kind = $2 AND owner_id = $3`,
	`DELETE FROM topics WHERE app_id = $1 AND scope_kind = $2 AND scope_id = $3`,
	`DELETE FROM bucket_subscriptions WHERE app_id = $1 AND scope_kind = $2 AND scope_id = $3`,
	`DELETE FROM objects WHERE app_id = $1 AND scope_kind = $2 AND scope_id = $3`,
}

var errNoOwner = errors.New("only a user or a thing is deleted, installed or given a password")

// byKind picks the query for the kind of owner.
func (o Owner) byKind(user, thing string) (string, error) {
	switch o.Kind {
	case OwnerUser:
		return user, nil
	case OwnerThing:
		return thing, nil
	}
	return "", errNoOwner
}

// look reads an owner's row, whether it is there or not. So a transaction that gives the owner
// something, and one of another process that deletes the owner and all that it has, cannot both
// overlook the other's: PostgreSQL lets one of them run again.
func (t tx) look(o Owner) error {
	query, err := o.byKind(countUser, countThing)
	if err != nil {
		return err
	}
	var n int
	return t.row(query, o.AppID, o.ID).Scan(&n)
}

// DeleteOwner removes a user or thing with its tokens, installations and their queues,
// subscriptions, and the topics, objects and subscriptions of its scope. What it has made
// in other scopes stays. It returns the installations that ended. The error is ErrNotFound
// when the owner is gone already.
func (s *SQL) DeleteOwner(ctx context.Context, o Owner) (gone []Installation, err error) {
	row, err := o.byKind(deleteUser, deleteThing)
	if err != nil {
		return nil, err
	}
	err = s.writer.do(ctx, func(t tx) error {
		n, err := t.affected(row, o.AppID, o.ID)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotFound
		}
		if err := s.note(t, endingsOfOwner, EndingRemoved, o.AppID, string(o.Kind), o.ID); err != nil {
			return err
		}
		rows, err := t.rows(deleteInstallationsOf, o.AppID, string(o.Kind), o.ID)
		gone, err = collect(rows, err, scanInstallation)
		for _, query := range ofOwner {
			if err == nil {
				err = t.exec(query, o.AppID, string(o.Kind), o.ID)
			}
		}
		return err
	})
	if err != nil {
		return nil, wrap("delete an owner", err)
	}
	return gone, nil
}

// SetPassword gives a user or thing another password and ends its tokens, but not the one
// whose hash is keep (nil keeps none). was is the hash of the password that whoever changes it
// has shown to know; empty: nobody was asked. The error is ErrNotFound when the owner is gone,
// or has another password than that meanwhile.
func (s *SQL) SetPassword(ctx context.Context, o Owner, was, passwordHash string, keep []byte) error {
	row, err := o.byKind(setUserPassword, setThingPassword)
	if err != nil {
		return err
	}
	if keep == nil {
		keep = []byte{} // NULL would compare to nothing
	}
	err = s.writer.do(ctx, func(t tx) error {
		n, err := t.affected(row, o.AppID, o.ID, passwordHash, was)
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotFound
		}
		return t.exec(deleteTokensBut, o.AppID, string(o.Kind), o.ID, keep)
	})
	return wrap("set a password", err)
}

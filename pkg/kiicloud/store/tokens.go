package store

import (
	"context"
	"errors"
)

const (
	insertToken = `INSERT INTO tokens (hash, app_id, owner_kind, owner_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`
	tokenByHash = `SELECT app_id, owner_kind, owner_id, created_at, expires_at FROM tokens
		WHERE hash = $1 AND (expires_at = 0 OR expires_at > $2)`

	deleteToken     = `DELETE FROM tokens WHERE hash = $1`
	deleteTokensOf  = `DELETE FROM tokens WHERE app_id = $1 AND owner_kind = $2 AND owner_id = $3`
	deleteTokensBut = deleteTokensOf + ` AND hash <> $4`

	// Who may get a token for a password.
	userMayLogIn  = `SELECT 1 FROM users WHERE app_id = $1 AND id = $2 AND password_hash = $3`
	thingMayLogIn = `SELECT 1 FROM things WHERE app_id = $1 AND id = $2 AND password_hash = $3 AND disabled = 0`
)

// PutToken stores a token's hash with its owner and times. passwordHash is what the owner
// has been authenticated by. The error is ErrNotFound when a user or thing is gone, disabled
// or has another password meanwhile, so that no token outlives what it was given for;
// administrators are not asked.
func (s *SQL) PutToken(ctx context.Context, t Token, passwordHash string) error {
	if t.CreatedAt.IsZero() {
		t.CreatedAt = s.now()
	}
	err := s.writer.do(ctx, func(x tx) error {
		if err := x.mayLogIn(t.Owner, passwordHash); err != nil {
			return err
		}
		return x.exec(insertToken, t.Hash, t.Owner.AppID, string(t.Owner.Kind), t.Owner.ID, millis(t.CreatedAt), millis(t.ExpiresAt))
	})
	return wrap("store a token", err)
}

func (t tx) mayLogIn(o Owner, passwordHash string) error {
	var one int
	switch o.Kind {
	case OwnerAdmin:
		return nil
	case OwnerUser:
		return notFound(t.row(userMayLogIn, o.AppID, o.ID, passwordHash).Scan(&one))
	case OwnerThing:
		return notFound(t.row(thingMayLogIn, o.AppID, o.ID, passwordHash).Scan(&one))
	}
	return errors.New("an owner has no kind")
}

// TokenByHash finds a token. The error is ErrNotFound when there is none or it has expired.
func (s *SQL) TokenByHash(ctx context.Context, hash []byte) (Token, error) {
	t := Token{Hash: hash}
	var kind string
	var created, expires int64
	err := s.row(ctx, tokenByHash, hash, millis(s.now())).Scan(&t.Owner.AppID, &kind, &t.Owner.ID, &created, &expires)
	if err != nil {
		return Token{}, wrap("find a token", notFound(err))
	}
	t.Owner.Kind = OwnerKind(kind)
	t.CreatedAt, t.ExpiresAt = fromMillis(created), fromMillis(expires)
	return t, nil
}

// DeleteToken ends a token. One that is gone already is no error.
func (s *SQL) DeleteToken(ctx context.Context, hash []byte) error {
	err := s.writer.do(ctx, func(t tx) error { return t.exec(deleteToken, hash) })
	return wrap("end a token", err)
}

package store

import "context"

const (
	insertToken = `INSERT INTO tokens (hash, app_id, owner_kind, owner_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`
	tokenByHash = `SELECT app_id, owner_kind, owner_id, created_at, expires_at FROM tokens
		WHERE hash = $1 AND (expires_at = 0 OR expires_at > $2)`
)

// PutToken stores a token's hash with its owner and times.
func (s *SQL) PutToken(ctx context.Context, t Token) error {
	if t.CreatedAt.IsZero() {
		t.CreatedAt = s.now()
	}
	err := s.writer.do(ctx, func(x tx) error {
		return x.exec(insertToken, t.Hash, t.Owner.AppID, string(t.Owner.Kind), t.Owner.ID, millis(t.CreatedAt), millis(t.ExpiresAt))
	})
	return wrap("store a token", err)
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

package store

import "context"

// UserKey is a name by which a user can be found.
type UserKey string

// The names that are unique within an app.
const (
	UserLoginName UserKey = "login_name"
	UserEmail     UserKey = "email"
	UserPhone     UserKey = "phone"
)

const (
	userColumns = `app_id, id, COALESCE(login_name, ''), COALESCE(email, ''), COALESCE(phone, ''), display_name, password_hash, fields, created_at`

	// An absent name is NULL, and NULLs do not collide.
	insertUser = `INSERT INTO users (app_id, id, login_name, email, phone, display_name, password_hash, fields, created_at)
		VALUES ($1, $2, NULLIF($3, ''), NULLIF($4, ''), NULLIF($5, ''), $6, $7, $8, $9)
		ON CONFLICT DO NOTHING`

	// A name that somebody else has is found before the write, which would fail with an error
	// that each database words differently. Who logs in by a number alone may mean a login name
	// or a phone number: so nobody has for the one what somebody else has for the other.
	userNamesTaken = `SELECT COUNT(*) FROM (
		SELECT id FROM users WHERE app_id = $1 AND login_name IN (NULLIF($3, ''), NULLIF($5, '')) UNION ALL
		SELECT id FROM users WHERE app_id = $1 AND email = NULLIF($4, '') UNION ALL
		SELECT id FROM users WHERE app_id = $1 AND phone IN (NULLIF($3, ''), NULLIF($5, ''))) AS named WHERE id <> $2`
	updateUser = `UPDATE users SET login_name = NULLIF($3, ''), email = NULLIF($4, ''), phone = NULLIF($5, ''),
		display_name = $6, password_hash = $7, fields = $8 WHERE app_id = $1 AND id = $2`

	userByID        = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND id = $2`
	userByLoginName = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND login_name = $2`
	userByEmail     = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND email = $2`
	userByPhone     = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND phone = $2`
)

var userQueries = map[UserKey]string{UserLoginName: userByLoginName, UserEmail: userByEmail, UserPhone: userByPhone}

// CreateUser stores a new user and returns it; an empty ID is made. The error is
// ErrExists when the app has a user with the same id, login name, email or phone, or one whose
// login name is this one's phone or the other way round.
func (s *SQL) CreateUser(ctx context.Context, u User) (User, error) {
	if u.ID == "" {
		u.ID = NewID()
	}
	if u.CreatedAt.IsZero() {
		u.CreatedAt = s.now()
	}
	u.Fields = orEmptyObject(u.Fields)
	err := s.writer.do(ctx, func(t tx) error {
		if err := t.namesFree(u); err != nil {
			return err
		}
		n, err := t.affected(insertUser, u.AppID, u.ID, u.LoginName, u.Email, u.Phone, u.DisplayName, u.PasswordHash, string(u.Fields), millis(u.CreatedAt))
		if err == nil && n == 0 {
			return ErrExists
		}
		return err
	})
	if err != nil {
		return User{}, wrap("create a user", err)
	}
	return u, nil
}

// UpdateUser changes a user to what change makes of it; AppID, ID and CreatedAt stay. What
// change refuses, with an error, stays as it was. It may be called more than once, and must
// be quick: nobody else writes meanwhile. The error may be ErrNotFound, ErrExists when
// another user has one of the names, or change's own.
func (s *SQL) UpdateUser(ctx context.Context, appID, id string, change func(*User) error) error {
	var refused error
	err := s.writer.do(ctx, func(t tx) error {
		u, err := scanUser(t.row(userByID, appID, id))
		if err != nil {
			return err
		}
		if refused = change(&u); refused != nil {
			return nil
		}
		if err := t.namesFree(u); err != nil {
			return err
		}
		return t.exec(updateUser, appID, id, u.LoginName, u.Email, u.Phone, u.DisplayName, u.PasswordHash, string(orEmptyObject(u.Fields)))
	})
	if err != nil {
		return wrap("update a user", err)
	}
	return refused
}

// namesFree fails with ErrExists when one of the user's names is another's.
func (t tx) namesFree(u User) error {
	var taken int
	err := t.row(userNamesTaken, u.AppID, u.ID, u.LoginName, u.Email, u.Phone).Scan(&taken)
	if err == nil && taken > 0 {
		return ErrExists
	}
	return err
}

// UserByID finds a user of an app. The error may be ErrNotFound.
func (s *SQL) UserByID(ctx context.Context, appID, id string) (User, error) {
	u, err := scanUser(s.row(ctx, userByID, appID, id))
	return u, wrap("find a user", err)
}

// UserByName finds a user of an app by one of its names. The error may be ErrNotFound.
func (s *SQL) UserByName(ctx context.Context, appID string, key UserKey, name string) (User, error) {
	u, err := scanUser(s.row(ctx, userQueries[key], appID, name))
	return u, wrap("find a user", err)
}

func scanUser(r scanner) (u User, err error) {
	var fields string
	var created int64
	err = r.Scan(&u.AppID, &u.ID, &u.LoginName, &u.Email, &u.Phone, &u.DisplayName, &u.PasswordHash, &fields, &created)
	if err != nil {
		return User{}, notFound(err)
	}
	u.Fields, u.CreatedAt = []byte(fields), fromMillis(created)
	return u, nil
}

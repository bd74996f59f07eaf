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
	userColumns = `app_id, id, COALESCE(login_name, ''), COALESCE(email, ''), COALESCE(phone, ''), display_name, password_hash, created_at`

	// An absent name is NULL, and NULLs do not collide.
	insertUser = `INSERT INTO users (app_id, id, login_name, email, phone, display_name, password_hash, created_at)
		VALUES ($1, $2, NULLIF($3, ''), NULLIF($4, ''), NULLIF($5, ''), $6, $7, $8)
		ON CONFLICT DO NOTHING`

	userByID        = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND id = $2`
	userByLoginName = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND login_name = $2`
	userByEmail     = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND email = $2`
	userByPhone     = `SELECT ` + userColumns + ` FROM users WHERE app_id = $1 AND phone = $2`
)

var userQueries = map[UserKey]string{UserLoginName: userByLoginName, UserEmail: userByEmail, UserPhone: userByPhone}

// CreateUser stores a new user and returns it; an empty ID is made. The error is
// ErrExists when the app has a user with the same id, login name, email or phone.
func (s *SQL) CreateUser(ctx context.Context, u User) (User, error) {
	if u.ID == "" {
		u.ID = NewID()
	}
	if u.CreatedAt.IsZero() {
		u.CreatedAt = s.now()
	}
	err := s.writer.do(ctx, func(t tx) error {
		n, err := t.affected(insertUser, u.AppID, u.ID, u.LoginName, u.Email, u.Phone, u.DisplayName, u.PasswordHash, millis(u.CreatedAt))
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

// UserByID finds a user of an app. The error may be ErrNotFound.
func (s *SQL) UserByID(ctx context.Context, appID, id string) (User, error) {
	return s.user(ctx, userByID, appID, id)
}

// UserByName finds a user of an app by one of its names. The error may be ErrNotFound.
func (s *SQL) UserByName(ctx context.Context, appID string, key UserKey, name string) (User, error) {
	return s.user(ctx, userQueries[key], appID, name)
}

func (s *SQL) user(ctx context.Context, query, appID, name string) (u User, err error) {
	var created int64
	err = s.row(ctx, query, appID, name).Scan(&u.AppID, &u.ID, &u.LoginName, &u.Email, &u.Phone, &u.DisplayName, &u.PasswordHash, &created)
	if err != nil {
		return User{}, wrap("find a user", notFound(err))
	}
	u.CreatedAt = fromMillis(created)
	return u, nil
}

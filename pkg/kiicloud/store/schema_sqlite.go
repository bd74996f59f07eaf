package store

import (
	"net/url"
	"path/filepath"
)

var sqlite = dialect{
	name:       "sqlite",
	begin:      "BEGIN IMMEDIATE",
	migrations: []migration{{sqliteV1, 1}, {sqliteV2, 2}, {endingsTable, 2}},
}

// sqliteV1: times are milliseconds since 1970, 0 for never. queue.seq counts within an
// installation and comes from installations.last_seq, so it never repeats while the
// installation lives, whatever was deleted.
const sqliteV1 = `
CREATE TABLE users (
	app_id        TEXT NOT NULL,
	id            TEXT NOT NULL,
	login_name    TEXT,
	email         TEXT,
	phone         TEXT,
	display_name  TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	created_at    INTEGER NOT NULL,
	PRIMARY KEY (app_id, id)
) STRICT;
CREATE UNIQUE INDEX users_login_name ON users (app_id, login_name);
CREATE UNIQUE INDEX users_email ON users (app_id, email);
CREATE UNIQUE INDEX users_phone ON users (app_id, phone);

CREATE TABLE tokens (
	hash       BLOB NOT NULL PRIMARY KEY,
	app_id     TEXT NOT NULL,
	owner_kind TEXT NOT NULL,
	owner_id   TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX tokens_owner ON tokens (app_id, owner_kind, owner_id);
CREATE INDEX tokens_expiry ON tokens (expires_at);

CREATE TABLE installations (
	id              TEXT NOT NULL PRIMARY KEY,
	registration_id TEXT NOT NULL,
	app_id          TEXT NOT NULL,
	owner_kind      TEXT NOT NULL,
	owner_id        TEXT NOT NULL,
	device_type     TEXT NOT NULL,
	development     INTEGER NOT NULL,
	topic           TEXT NOT NULL UNIQUE,
	created_at      INTEGER NOT NULL,
	ready_at        INTEGER NOT NULL,
	last_seq        INTEGER NOT NULL,
	UNIQUE (app_id, owner_kind, owner_id, device_type),
	UNIQUE (app_id, device_type, registration_id)
) STRICT;

CREATE TABLE queue (
	installation_id TEXT NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
	seq             INTEGER NOT NULL,
	message_id      TEXT NOT NULL,
	payload         BLOB NOT NULL,
	created_at      INTEGER NOT NULL,
	expires_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX queue_order ON queue (installation_id, seq, expires_at);
CREATE INDEX queue_expiry ON queue (expires_at);
`

// sqliteV2: what a scope owns is found by (app_id, scope_kind, scope_id); scope_id is empty
// for the app's own. A bucket is there from its first object or subscription on and has no
// row of its own. fields is a JSON object: what the client keeps, without our own fields.
// A push to many has its payload in bodies, once, and its rows in queue name it in body_id.
const sqliteV2 = `
ALTER TABLE users ADD COLUMN fields TEXT NOT NULL DEFAULT '{}';

CREATE TABLE things (
	app_id          TEXT NOT NULL,
	id              TEXT NOT NULL,
	vendor_thing_id TEXT NOT NULL,
	password_hash   TEXT NOT NULL,
	fields          TEXT NOT NULL,
	disabled        INTEGER NOT NULL,
	created_at      INTEGER NOT NULL,
	PRIMARY KEY (app_id, id),
	UNIQUE (app_id, vendor_thing_id)
) STRICT;

CREATE TABLE topics (
	id         TEXT NOT NULL PRIMARY KEY,
	app_id     TEXT NOT NULL,
	scope_kind TEXT NOT NULL,
	scope_id   TEXT NOT NULL,
	name       TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	UNIQUE (app_id, scope_kind, scope_id, name)
) STRICT;

CREATE TABLE topic_subscriptions (
	topic_id   TEXT NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
	app_id     TEXT NOT NULL,
	owner_kind TEXT NOT NULL,
	owner_id   TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (topic_id, owner_kind, owner_id)
) STRICT;
CREATE INDEX topic_subscriptions_owner ON topic_subscriptions (app_id, owner_kind, owner_id);

CREATE TABLE bodies (
	id      INTEGER NOT NULL PRIMARY KEY,
	payload BLOB NOT NULL
) STRICT;
ALTER TABLE queue ADD COLUMN body_id INTEGER;
CREATE INDEX queue_body ON queue (body_id) WHERE body_id IS NOT NULL;

CREATE TABLE objects (
	app_id      TEXT NOT NULL,
	scope_kind  TEXT NOT NULL,
	scope_id    TEXT NOT NULL,
	bucket      TEXT NOT NULL,
	id          TEXT NOT NULL,
	version     INTEGER NOT NULL,
	data_type   TEXT NOT NULL DEFAULT '',
	fields      TEXT NOT NULL,
	owner_kind  TEXT NOT NULL,
	owner_id    TEXT NOT NULL,
	created_at  INTEGER NOT NULL,
	modified_at INTEGER NOT NULL,
	PRIMARY KEY (app_id, scope_kind, scope_id, bucket, id)
) STRICT;
CREATE INDEX objects_owner ON objects (app_id, owner_kind, owner_id);

CREATE TABLE bucket_subscriptions (
	app_id     TEXT NOT NULL,
	scope_kind TEXT NOT NULL,
	scope_id   TEXT NOT NULL,
	bucket     TEXT NOT NULL,
	owner_kind TEXT NOT NULL,
	owner_id   TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	PRIMARY KEY (app_id, scope_kind, scope_id, bucket, owner_kind, owner_id)
) STRICT;
CREATE INDEX bucket_subscriptions_owner ON bucket_subscriptions (app_id, owner_kind, owner_id);
`

// endingsTable has what a broker that is another process is still to be told (endings.go). Both databases take it as it is.
const endingsTable = `
CREATE TABLE endings (
	installation_id TEXT NOT NULL,
	kind            TEXT NOT NULL,
	topic           TEXT NOT NULL,
	due_at          BIGINT NOT NULL,
	PRIMARY KEY (installation_id, kind)
);
CREATE INDEX endings_due ON endings (due_at);
`

// SQLiteFile is the name of the database in a data folder.
const SQLiteFile = "kiicloud.db"

// sqliteFile is the database of a data folder.
func sqliteFile(dir string) string { return filepath.Join(dir, SQLiteFile) }

// sqliteDSN names the database file of a data folder. A commit is on the disk when it
// returns (synchronous FULL); readers never wait for the writer (WAL).
func sqliteDSN(dir string, readOnly bool) string {
	q := url.Values{}
	for _, p := range []string{"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)",
		"foreign_keys(1)", "journal_size_limit(67108864)"} {
		q.Add("_pragma", p)
	}
	if readOnly {
		q.Add("_pragma", "query_only(1)")
	} else {
		q.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(sqliteFile(dir)), RawQuery: q.Encode()}
	return u.String()
}

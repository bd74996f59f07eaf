package store

// postgresV1 is what sqliteV1 and sqliteV2 come to, which say what the columns mean. What is
// listed in the order of its bytes has a collation that does so.
const postgresV1 = `
CREATE TABLE users (
	app_id        TEXT NOT NULL,
	id            TEXT NOT NULL,
	login_name    TEXT,
	email         TEXT,
	phone         TEXT,
	display_name  TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	fields        TEXT NOT NULL,
	created_at    BIGINT NOT NULL,
	PRIMARY KEY (app_id, id)
);
CREATE UNIQUE INDEX users_login_name ON users (app_id, login_name);
CREATE UNIQUE INDEX users_email ON users (app_id, email);
CREATE UNIQUE INDEX users_phone ON users (app_id, phone);

CREATE TABLE tokens (
	hash       BYTEA NOT NULL PRIMARY KEY,
	app_id     TEXT NOT NULL,
	owner_kind TEXT NOT NULL,
	owner_id   TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX tokens_owner ON tokens (app_id, owner_kind, owner_id);
CREATE INDEX tokens_expiry ON tokens (expires_at);

CREATE TABLE installations (
	id              TEXT NOT NULL PRIMARY KEY,
	registration_id TEXT NOT NULL,
	app_id          TEXT NOT NULL,
	owner_kind      TEXT NOT NULL,
	owner_id        TEXT NOT NULL,
	device_type     TEXT NOT NULL,
	development     BIGINT NOT NULL,
	topic           TEXT NOT NULL UNIQUE,
	created_at      BIGINT NOT NULL,
	ready_at        BIGINT NOT NULL,
	last_seq        BIGINT NOT NULL,
	UNIQUE (app_id, owner_kind, owner_id, device_type),
	UNIQUE (app_id, device_type, registration_id)
);

CREATE TABLE queue (
	installation_id TEXT NOT NULL REFERENCES installations (id) ON DELETE CASCADE,
	seq             BIGINT NOT NULL,
	message_id      TEXT NOT NULL,
	payload         BYTEA NOT NULL,
	body_id         BIGINT,
	created_at      BIGINT NOT NULL,
	expires_at      BIGINT NOT NULL
);
CREATE INDEX queue_order ON queue (installation_id, seq, expires_at);
CREATE INDEX queue_expiry ON queue (expires_at);
CREATE INDEX queue_body ON queue (body_id) WHERE body_id IS NOT NULL;

CREATE TABLE bodies (
	id      BIGINT NOT NULL PRIMARY KEY,
	payload BYTEA NOT NULL
);

CREATE TABLE things (
	app_id          TEXT NOT NULL,
	id              TEXT NOT NULL,
	vendor_thing_id TEXT NOT NULL,
	password_hash   TEXT NOT NULL,
	fields          TEXT NOT NULL,
	disabled        BIGINT NOT NULL,
	created_at      BIGINT NOT NULL,
	PRIMARY KEY (app_id, id),
	UNIQUE (app_id, vendor_thing_id)
);

CREATE TABLE topics (
	id         TEXT NOT NULL PRIMARY KEY,
	app_id     TEXT NOT NULL,
	scope_kind TEXT NOT NULL,
	scope_id   TEXT NOT NULL,
	name       TEXT COLLATE "C" NOT NULL,
	created_at BIGINT NOT NULL,
	UNIQUE (app_id, scope_kind, scope_id, name)
);

CREATE TABLE topic_subscriptions (
	topic_id   TEXT NOT NULL REFERENCES topics (id) ON DELETE CASCADE,
	app_id     TEXT NOT NULL,
	owner_kind TEXT NOT NULL,
	owner_id   TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (topic_id, owner_kind, owner_id)
);
CREATE INDEX topic_subscriptions_owner ON topic_subscriptions (app_id, owner_kind, owner_id);

CREATE TABLE objects (
	app_id      TEXT NOT NULL,
	scope_kind  TEXT NOT NULL,
	scope_id    TEXT NOT NULL,
	bucket      TEXT NOT NULL,
	id          TEXT COLLATE "C" NOT NULL,
	version     BIGINT NOT NULL,
	data_type   TEXT NOT NULL DEFAULT '',
	fields      TEXT NOT NULL,
	owner_kind  TEXT NOT NULL,
	owner_id    TEXT NOT NULL,
	created_at  BIGINT NOT NULL,
	modified_at BIGINT NOT NULL,
	PRIMARY KEY (app_id, scope_kind, scope_id, bucket, id)
);
CREATE INDEX objects_owner ON objects (app_id, owner_kind, owner_id);

CREATE TABLE bucket_subscriptions (
	app_id     TEXT NOT NULL,
	scope_kind TEXT NOT NULL,
	scope_id   TEXT NOT NULL,
	bucket     TEXT NOT NULL,
	owner_kind TEXT NOT NULL,
	owner_id   TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (app_id, scope_kind, scope_id, bucket, owner_kind, owner_id)
);
CREATE INDEX bucket_subscriptions_owner ON bucket_subscriptions (app_id, owner_kind, owner_id);
`

// installationsRoom leaves half of each page of the table free. A push gives a queue its next place, which changes the installation's row, and PostgreSQL writes a
// row anew where it changes: in the same page it leaves the five indexes alone (HOT), else it adds to each of them. A topic with 30,000 subscribers changes
// all rows of a page at once, and took four times as long without. What is there already moves with its next changes.
const installationsRoom = `ALTER TABLE installations SET (fillfactor = 50)`

// Package store keeps what the push cloud must not lose: users, things, tokens, topics,
// objects, who has subscribed to what, installations, and the pushes that wait for them.
package store

import (
	"errors"
	"time"
)

// What a lookup or a write can fail with; match with errors.Is.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
)

// OwnerKind says who an installation or a token belongs to.
type OwnerKind string

// The kinds of owner.
const (
	OwnerUser  OwnerKind = "USER"
	OwnerThing OwnerKind = "THING"
	OwnerAdmin OwnerKind = "ADMIN" // tokens only
)

// Owner is a user or a thing of one app.
type Owner struct {
	AppID string
	Kind  OwnerKind
	ID    string
}

// ScopeKind says whose a topic or bucket is.
type ScopeKind string

// The kinds of scope.
const (
	ScopeApp   ScopeKind = "APP"
	ScopeUser  ScopeKind = "USER"
	ScopeThing ScopeKind = "THING"
)

// Scope is what topics and buckets belong to: an app, or a user or thing of it. Their
// names are unique within a scope.
type Scope struct {
	AppID string
	Kind  ScopeKind
	ID    string // of the user or thing; empty for the app
}

// User is a registered user.
type User struct {
	AppID        string
	ID           string
	LoginName    string
	Email        string
	Phone        string
	DisplayName  string
	PasswordHash string
	Fields       []byte // JSON object of country, locale and the app's own fields; nil means none
	CreatedAt    time.Time
}

// Thing is a registered device.
type Thing struct {
	AppID         string
	ID            string
	VendorThingID string
	PasswordHash  string
	Fields        []byte // JSON object of what the thing's vendor and the app keep with it; nil means none
	Disabled      bool   // it cannot log in
	CreatedAt     time.Time
}

// Topic is a name that pushes are sent to and owners subscribe to.
type Topic struct {
	ID        string // internal: tells a topic from a later one of the same name
	Scope     Scope
	Name      string
	CreatedAt time.Time
}

// Bucket names a set of objects. It needs no creation.
type Bucket struct {
	Scope Scope
	Name  string
}

// Object is a JSON object in a bucket.
type Object struct {
	Bucket     Bucket
	ID         string
	Version    int64  // 1 at the creation, and one more at each change
	DataType   string // the app's own name of what it is; may be empty
	Fields     []byte // JSON object
	Owner      Owner  // who created it
	CreatedAt  time.Time
	ModifiedAt time.Time
}

// Token is an access token. Only its hash is stored.
type Token struct {
	Hash      []byte
	Owner     Owner
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
}

// Installation registers an owner for push.
type Installation struct {
	ID             string // installationID
	RegistrationID string // installationRegistrationID
	Owner          Owner
	DeviceType     string // "MQTT"
	Development    bool
	Topic          string // mqttTopic: client identifier, topic and queue name; never changes
	CreatedAt      time.Time
	ReadyAt        time.Time // when its endpoint may be handed out
	LastSeq        int64     // the last place that was given in its queue
}

// Push is one message in an installation's queue.
type Push struct {
	Seq            int64 // position in the installation's queue, ascending; set by the store
	InstallationID string
	MessageID      string // pushMessageID
	Payload        []byte
	CreatedAt      time.Time
	ExpiresAt      time.Time
}

// The bounds of an installation's queue.
const (
	QueueTTL = 7 * 24 * time.Hour // an undelivered push lives this long
	QueueMax = 1000               // above this the oldest is dropped and counted
)

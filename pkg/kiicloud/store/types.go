// Package store keeps what the push cloud must not lose: users, tokens,
// installations and the pushes that wait for their receivers.
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

// User is a registered user.
type User struct {
	AppID        string
	ID           string
	LoginName    string
	Email        string
	Phone        string
	DisplayName  string
	PasswordHash string
	CreatedAt    time.Time
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

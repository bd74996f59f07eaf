package rest

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// hashing is how passwords are hashed: argon2id with 19 MiB and two passes, a second
// at most on slow machines, some 40 ms on others. The parameters are stored with
// each hash, so they may change here at any time.
var hashing = argonParams{memory: 19 * 1024, passes: 2, threads: 1}

const (
	saltLength = 16
	keyLength  = 32
)

type argonParams struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// passwords hashes and checks passwords, as many at a time as there are processors:
// each takes its memory for as long as it runs.
type passwords struct {
	slots chan struct{}
	decoy string // is checked where there is no user, so that this takes as long
}

func newPasswords() (*passwords, error) {
	p := &passwords{slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	var err error
	p.decoy, err = p.hash(context.Background(), rand.Text())
	return p, err
}

// hash gives what is stored of a password: parameters, salt and key in PHC format.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLength)
	rand.Read(salt)
	key, err := p.key(ctx, password, salt, hashing, keyLength)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashing.memory, hashing.passes, hashing.threads, b64(salt), b64(key)), nil
}

// check tells whether the password belongs to the hash; with an empty hash it never
// does, and takes as long to say so.
func (p *passwords) check(ctx context.Context, password, hash string) (bool, error) {
	known := hash != ""
	if !known {
		hash = p.decoy
	}
	params, salt, want, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got, err := p.key(ctx, password, salt, params, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && known, nil
}

func (p *passwords) key(ctx context.Context, password string, salt []byte, a argonParams, length uint32) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, a.passes, a.memory, a.threads, length), nil
}

func parseHash(hash string) (a argonParams, salt, key []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return a, nil, nil, errors.New("a stored password hash has an unknown format")
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memory, &a.passes, &a.threads); err != nil {
		return a, nil, nil, errors.New("a stored password hash has unreadable parameters")
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return a, nil, nil, errors.New("a stored password hash has an unreadable salt")
	}
	if key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(key) == 0 || a.passes == 0 || a.threads == 0 {
		return a, nil, nil, errors.New("a stored password hash has an unreadable key")
	}
	return a, salt, key, nil
}

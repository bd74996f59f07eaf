package engine

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// What Verify refuses a password with.
var (
	ErrWrongPassword = errors.New("the password does not belong to this user name and client identifier")
	ErrLapsed        = errors.New("the password has lapsed")
)

// MinSecret is the least length of the secret, in bytes.
const MinSecret = 32

const (
	nonceLen  = 12
	expiryLen = 8
	macLen    = sha256.Size
)

// Credentials makes and checks MQTT passwords. Nothing is stored: a password carries its
// expiry and a nonce, and a MAC under the secret binds both to the installation and its
// topic. So each endpoint gets a password of its own, all are good side by side until they
// lapse, and every process that has the secret can check them. A removed installation
// is not Credentials' matter: who checks a password also looks for the installation.
type Credentials struct {
	secret []byte
	now    func() time.Time
}

// NewCredentials uses secret, of at least MinSecret random bytes.
func NewCredentials(secret []byte) (*Credentials, error) {
	if len(secret) < MinSecret {
		return nil, errors.New("the secret for MQTT passwords is shorter than 32 bytes")
	}
	return &Credentials{secret: append([]byte(nil), secret...), now: time.Now}, nil
}

// Issue makes a password that is good for ttl, and then until the second is full: it holds
// its expiry in whole seconds. It consists of letters, digits, '-' and '_'.
func (c *Credentials) Issue(installationID, topic string, ttl time.Duration) string {
	token := make([]byte, nonceLen+expiryLen, nonceLen+expiryLen+macLen)
	_, _ = rand.Read(token[:nonceLen]) // never fails: crypto/rand
	expires := c.now().Add(ttl + time.Second - time.Nanosecond).Unix()
	binary.BigEndian.PutUint64(token[nonceLen:], uint64(expires))
	return base64.RawURLEncoding.EncodeToString(c.mac(token, installationID, topic))
}

// Verify checks a password and tells when it lapses. The error is ErrWrongPassword or
// ErrLapsed.
func (c *Credentials) Verify(installationID, topic, password string) (expires time.Time, err error) {
	token, err := base64.RawURLEncoding.Strict().DecodeString(password)
	if err != nil || len(token) != nonceLen+expiryLen+macLen {
		return time.Time{}, ErrWrongPassword
	}
	signed := token[: nonceLen+expiryLen : nonceLen+expiryLen]
	if !hmac.Equal(token, c.mac(signed, installationID, topic)) {
		return time.Time{}, ErrWrongPassword
	}
	expires = time.Unix(int64(binary.BigEndian.Uint64(signed[nonceLen:])), 0)
	if !c.now().Before(expires) {
		return time.Time{}, ErrLapsed
	}
	return expires, nil
}

// mac appends the MAC to token. Each name goes in with its length, so that no two pairs of
// names give the same bytes.
func (c *Credentials) mac(token []byte, installationID, topic string) []byte {
	h := hmac.New(sha256.New, c.secret)
	h.Write([]byte("kii mqtt password 1\n"))
	for _, s := range []string{installationID, topic} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		h.Write([]byte(s))
	}
	h.Write(token)
	return h.Sum(token)
}

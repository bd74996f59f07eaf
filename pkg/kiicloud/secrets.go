package kiicloud

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kiiweb/kiiweb/pkg/kiicloud/engine"
)

const (
	secretFile = "mqtt-secret"
	adminFile  = "admin"
)

// mqttSecret reads the key of the MQTT passwords, and makes it where it is missing.
func (c Config) mqttSecret() ([]byte, error) {
	path := c.SecretFile
	if path == "" {
		path = filepath.Join(c.DataDir, secretFile)
	}
	text, err := readOrMake(path, func() string { return randomHex(engine.MinSecret) })
	if err != nil {
		return nil, fmt.Errorf("the key of the MQTT passwords: %w", err)
	}
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) < engine.MinSecret {
		return nil, fmt.Errorf("%s does not hold a key: it needs at least %d bytes in hexadecimal; remove it to have one made, which ends all MQTT passwords",
			path, engine.MinSecret)
	}
	return secret, nil
}

// admins gives those configured, or the one that was made for this data folder.
func (c Config) admins() ([]Admin, error) {
	if len(c.Admins) > 0 {
		return c.Admins, nil
	}
	path := filepath.Join(c.DataDir, adminFile)
	text, err := readOrMake(path, func() string { return "admin-" + randomHex(4) + ":" + randomHex(16) })
	if err != nil {
		return nil, fmt.Errorf("the administrator's credentials: %w", err)
	}
	id, secret, err := pair(text)
	if err != nil {
		return nil, fmt.Errorf("%s does not hold clientID:secret; remove it to have new ones made", path)
	}
	return []Admin{{ClientID: id, Secret: secret}}, nil
}

// readOrMake reads a small file of one line, and makes it for the owner's eyes alone
// where it is missing.
func readOrMake(path string, text func() string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		s := text()
		return s, writeWhole(path, []byte(s+"\n"), 0o600)
	}
	return strings.TrimSpace(string(b)), err
}

// writeWhole writes a file so that it is there whole or not at all, even when the power fails.
func writeWhole(path string, b []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func randomHex(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

package engine

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// FuzzVerify: no password is good but the one that was issued, and that one for nobody
// else.
func FuzzVerify(f *testing.F) {
	c, err := NewCredentials(bytes.Repeat([]byte{7}, MinSecret))
	require.NoError(f, err)
	issued := c.Issue("inst", "topic", time.Hour)
	for _, password := range []string{issued, issued[1:], issued + "A", issued + "=", "", "%", "-_"} {
		f.Add("ins", "ttopic", password, "inst", "topic")
		f.Add("", "", password, "", "")
	}
	f.Fuzz(func(t *testing.T, installationID, topic, password, otherID, otherTopic string) {
		issued := c.Issue(installationID, topic, time.Hour)
		if password != issued { // its nonce is fresh
			_, err := c.Verify(installationID, topic, password)
			require.ErrorIs(t, err, ErrWrongPassword)
		}
		_, err := c.Verify(installationID, topic, issued)
		require.NoError(t, err)
		_, err = c.Verify(otherID, otherTopic, issued)
		if installationID != otherID || topic != otherTopic {
			require.ErrorIs(t, err, ErrWrongPassword)
		}
	})
}

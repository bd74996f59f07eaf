package engine

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPasswords(t *testing.T) {
	c, err := NewCredentials(secret)
	require.NoError(t, err)
	now := time.Unix(1_700_000_000, 0)
	c.now = func() time.Time { return now }

	one, two := c.Issue("inst", "topic", time.Hour), c.Issue("inst", "topic", 2*time.Hour)
	require.NotEqual(t, one, two)
	require.Regexp(t, regexp.MustCompile(`^[A-Za-z0-9_-]+$`), one)

	expires, err := c.Verify("inst", "topic", one)
	require.NoError(t, err)
	require.Equal(t, now.Add(time.Hour), expires)
	_, err = c.Verify("inst", "topic", two)
	require.NoError(t, err, "both are good")

	for _, wrong := range [][3]string{
		{"inst2", "topic", one}, {"inst", "topic2", one}, {"instt", "opic", one}, {"", "insttopic", one},
		{"inst", "topic", ""}, {"inst", "topic", one + "A"}, {"inst", "topic", one[1:]}, {"inst", "topic", "%%%"},
	} {
		_, err = c.Verify(wrong[0], wrong[1], wrong[2])
		require.ErrorIs(t, err, ErrWrongPassword, wrong)
	}
	for i := range one { // every letter counts
		changed := []byte(one)
		changed[i] = "AB"[(bytes.IndexByte([]byte("AB"), changed[i])+1)%2]
		_, err = c.Verify("inst", "topic", string(changed))
		require.ErrorIs(t, err, ErrWrongPassword)
	}

	now = now.Add(time.Hour)
	_, err = c.Verify("inst", "topic", one)
	require.ErrorIs(t, err, ErrLapsed)
	_, err = c.Verify("inst", "topic", two)
	require.NoError(t, err)

	other, err := NewCredentials(bytes.Repeat([]byte{1}, MinSecret))
	require.NoError(t, err)
	_, err = other.Verify("inst", "topic", two)
	require.ErrorIs(t, err, ErrWrongPassword)
	_, err = NewCredentials(secret[:MinSecret-1])
	require.Error(t, err)
}

// The endpoint tells the client a time to live in whole seconds from now, whatever fraction
// of a second it is.
func TestPasswordsLastAsLongAsTheEndpointSays(t *testing.T) {
	c, err := NewCredentials(secret)
	require.NoError(t, err)
	now := time.Unix(1_700_000_000, 999_000_000)
	c.now = func() time.Time { return now }
	password := c.Issue("inst", "topic", time.Second)

	now = now.Add(time.Second - time.Millisecond)
	expires, err := c.Verify("inst", "topic", password)
	require.NoError(t, err)
	require.Equal(t, time.Unix(1_700_000_002, 0), expires)
	now = expires
	_, err = c.Verify("inst", "topic", password)
	require.ErrorIs(t, err, ErrLapsed)
}

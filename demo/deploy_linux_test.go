package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// systemd has nothing to say against the unit. It need not run for that.
func TestSystemdTakesTheUnit(t *testing.T) {
	self, err := os.Executable() // the program need not be installed either
	require.NoError(t, err)
	text := regexp.MustCompile(`(?m)^ExecStart=\S+`).ReplaceAllString(read(t, "deploy", "kiicloud.service"), "ExecStart="+self)
	require.Contains(t, text, self)
	unit := filepath.Join(t.TempDir(), "kiicloud.service")
	require.NoError(t, os.WriteFile(unit, []byte(text), 0o644))
	said, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
	require.NoError(t, err, "%s (systemd-analyze is in the package systemd)", said)
	for line := range strings.Lines(string(said)) { // of other units there may be much
		assert.NotContains(t, line, "kiicloud.service")
	}
}

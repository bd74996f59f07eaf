package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/pkg/kiicloud"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{".."}, path...)...))
	require.NoError(t, err)
	return string(b)
}

// allFlags are the program's flags by name.
func allFlags(t *testing.T) map[string]*flag.Flag {
	t.Helper()
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	new(options).register(fs)
	all := map[string]*flag.Flag{}
	fs.VisitAll(func(f *flag.Flag) { all[f.Name] = f })
	return all
}

var variable = regexp.MustCompile(kiicloud.EnvironmentPrefix + `[A-Z_]+`)

// What the shipped files and the documents set is there to be set.
func TestVariablesThatAreNamedAreFlags(t *testing.T) {
	flags := map[string]bool{}
	for name := range allFlags(t) {
		flags[kiicloud.EnvironmentPrefix+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = true
	}
	for _, file := range []string{"deploy/kiicloud.service", "deploy/Dockerfile", "README.md", "docs/operating.md", "docs/rabbitmq.md"} {
		for _, name := range variable.FindAllString(read(t, file), -1) {
			assert.True(t, flags[name], "%s: %s", file, name)
		}
	}
}

// The table of README.md has each flag, and no other.
func TestTheReadmeHasEachFlag(t *testing.T) {
	all := allFlags(t)
	_, table, ok := strings.Cut(read(t, "README.md"), "| flag | default | |\n")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n\n")
	named := map[string]bool{}
	for row := range strings.Lines(table) {
		for _, m := range regexp.MustCompile("`-([a-z-]+)[ `]").FindAllStringSubmatch(row, -1) {
			assert.True(t, m[1] == "h" || all[m[1]] != nil, row)
			named[m[1]] = true
		}
	}
	for name := range all {
		assert.True(t, named[name], "README.md has no -%s", name)
	}
}

func TestDockerfile(t *testing.T) {
	text := read(t, "deploy", "Dockerfile")
	mod := read(t, "go.mod")
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)|^go (\d+\.\d+\.\d+)$`).FindAllStringSubmatch(mod, -1)
	require.NotEmpty(t, toolchain, mod)
	last := toolchain[len(toolchain)-1]
	assert.Contains(t, text, "FROM golang:"+last[1]+last[2]+" AS build\n", "the toolchain of go.mod")

	m := regexp.MustCompile(`(?m)^ENTRYPOINT (\[.*\])$`).FindStringSubmatch(text)
	require.NotNil(t, m)
	var command []string
	require.NoError(t, json.Unmarshal([]byte(m[1]), &command))
	o, err := parse(command[1:], io.Discard)
	require.NoError(t, err)
	assert.Equal(t, "/data", o.cloud.DataDir)
	assert.Contains(t, text, "VOLUME /data\n")
	for _, line := range []string{o.cloud.HTTPS, o.cloud.MQTTS} {
		assert.Contains(t, strings.Fields(regexp.MustCompile(`(?m)^EXPOSE.*$`).FindString(text)), strings.TrimPrefix(line, ":"))
	}
	for _, c := range regexp.MustCompile(`(?m)^COPY ([^-].*) \S+$`).FindAllStringSubmatch(text, -1) {
		for name := range strings.FieldsSeq(c[1]) {
			_, err := os.Stat(filepath.Join("..", name))
			assert.NoError(t, err)
		}
	}
}

// The unit's command is one that the program takes, on the folder that systemd makes.
func TestUnit(t *testing.T) {
	text := read(t, "deploy", "kiicloud.service")
	m := regexp.MustCompile(`(?m)^ExecStart=(\S+) (.*)$`).FindStringSubmatch(text)
	require.NotNil(t, m)
	o, err := parse(strings.Fields(m[2]), io.Discard)
	require.NoError(t, err)
	unit, _, _ := strings.Cut(text, "[Service]")
	assert.Contains(t, unit, "\nStartLimitIntervalSec=0\n", "it goes on starting")
	state := regexp.MustCompile(`(?m)^StateDirectory=(.*)$`).FindStringSubmatch(text)
	require.NotNil(t, state)
	assert.Equal(t, "/var/lib/"+state[1], o.cloud.DataDir)
}

// As deploy/ starts it: nothing on standard output, lines of JSON alone on standard error, no secret in either.
func TestTheCommandWhereAllItWritesIsLogged(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, append(onFreePorts(t), "-admin", "root:of-nobodys-business", "-log-format", "json", "-ready=false")...)
	cmd.Env = append(os.Environ(), runAsDemo+"=1")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var messages []string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		var line struct{ Msg, HTTPS string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
		assert.NotContains(t, lines.Text(), "nobodys")
		if messages = append(messages, line.Msg); line.Msg == "ready" {
			assert.NotEmpty(t, line.HTTPS)
			require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		}
	}
	require.NoError(t, cmd.Wait())
	assert.Empty(t, stdout.String())
	require.Contains(t, messages, "ready")
	assert.Equal(t, "stopped", messages[len(messages)-1])
}

// The commands of the documents are ones that the program takes.
func TestDocumentedCommands(t *testing.T) {
	seen := 0
	for _, file := range []string{"operating.md", "rabbitmq.md"} {
		for _, m := range regexp.MustCompile(`(?m)^ *(?:[^#\n]* && )?kiicloud (.*)$`).FindAllStringSubmatch(read(t, "docs", file), -1) {
			line, _, _ := strings.Cut(m[1], "   #")
			args := strings.Fields(strings.NewReplacer(`""`, "EMPTY", "-admin …", "-admin id:secret", "-app …", "-app id:key").Replace(line))
			if _, ok := commands[args[0]]; ok {
				assert.Regexp(t, `^\S+( -(data|to|store|app-id|confirm) \S+)+ *$`, line, file)
			} else {
				_, err := parse(args, io.Discard)
				assert.NoError(t, err, "%s: kiicloud %s", file, line)
			}
			seen++
		}
	}
	assert.GreaterOrEqual(t, seen, 8)
}

// The command that the proxies' configurations stand in front of is one that the program takes, and advertises the proxy.
func TestProxiesStandBeforeACommand(t *testing.T) {
	for _, file := range []string{"Caddyfile", "nginx.conf"} {
		text := read(t, "deploy", file)
		m := regexp.MustCompile(`(?m)^#   kiicloud (.*)$`).FindStringSubmatch(text)
		require.NotNil(t, m, file)
		o, err := parse(strings.Fields(strings.ReplaceAll(m[1], `""`, "EMPTY")), io.Discard)
		require.NoError(t, err, file)
		assert.Contains(t, text, o.cloud.HTTP)
		assert.Contains(t, strings.NewReplacer(";", "", " {", "").Replace(text), o.cloud.Host+"\n", "the site")
		assert.Equal(t, 443, o.cloud.EnginePorts.WSS, file)
		assert.Len(t, o.cloud.TrustProxies, 1, file)
		assert.Equal(t, 3, strings.Count(m[1], `""`), "TLS is the proxy's")
		assert.Contains(t, text, "/metrics", file)
	}
}

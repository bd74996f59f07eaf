package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// faultsDocument is what a whole run with -update writes, in the folder of the main module.
var faultsDocument = filepath.Join("docs", "faults.md")

// faultsSeen is what TestFaults and TestRestarts have seen in this run.
var faultsSeen faultsReport

type faultsReport struct {
	faults   []faultResult
	restarts []restartResult
}

const faultsHead = `# Bad networks and brokers that restart

What became of messages between our client and brokers while the network between them was bad, and while the broker was ended and
started again. The tests in ` + "`tests/interop`" + ` do it and fail where anything is lost, comes out of order, or comes twice where it must not; this
page is what a whole run saw (` + "`make interop`" + ` writes it).

*Accepted* is what its sender was told to be: PUBACK, PUBCOMP, or the 201 of a push. What was not accepted may arrive or not.
*Repeats* are messages that came again: the protocol allows them at QoS 1, and forbids them at QoS 2; pushes of the local cloud on
MQTT 5 carry an identifier by which our client drops them. *Out of order* counts messages that came, for the first time, behind a later
one of the same sender.

`

const figuresHead = " | in: sent | accepted | received | repeats | out: sent | accepted | received | repeats | lost | out of order |\n"

func (r faultsReport) text() string {
	var b bytes.Buffer
	b.WriteString(faultsHead)
	fmt.Fprintf(&b, `## Restarts

Every %s the local cloud is killed, and Mosquitto, which saves its state at the end alone, is asked to end; then it starts again.
Meanwhile %d senders on each side send one message after the other. Our client has `+"`displacement: \"off\"`"+`.

| broker | client | QoS | restarts | times online`, uptime, lanes)
	b.WriteString(figuresHead + "|---|---" + strings.Repeat("|---:", 13) + "|\n")
	for _, x := range r.restarts {
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %d%s", x.column.broker, x.column.title(), x.qos, x.restarts, x.online, cells(x.in, x.out))
	}
	fmt.Fprintf(&b, `
## Networks

Each run connects, subscribes, and sends %d messages each way. In the silence every byte is dropped in the middle, without an end
of the connection. The resets end the first connection with RST after so many bytes, the WebSocket's handshake included; each number is a run of its own.

| broker | client | QoS | network | runs`, exchange)
	b.WriteString(figuresHead + "|---|---|---:|---" + strings.Repeat("|---:", 11) + "|\n")
	for _, x := range r.faults {
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %d%s", x.column.broker, x.column.title(), x.qos, x.fault, x.runs, cells(x.in, x.out))
	}
	return b.String()
}

func cells(in, out figures) string {
	s := ""
	for _, n := range []int{in.sent, in.accepted, in.received, in.repeats, out.sent, out.accepted, out.received, out.repeats,
		in.lost + out.lost, in.disorders + out.disorders} {
		s += " | " + strconv.Itoa(n)
	}
	return s + " |\n"
}

// write writes the document once all of it was seen.
func (r faultsReport) write(t *testing.T) {
	t.Helper()
	if len(r.faults) == 0 || len(r.restarts) == 0 {
		return
	}
	require.Len(t, r.faults, len(sufferings)*(len(networks)+3), "-update wants a whole run: no -short, and no -run for a part")
	require.Len(t, r.restarts, len(restartings), "-update wants a whole run: no -short, and no -run for a part")
	require.NoError(t, os.WriteFile(faultsDocument, []byte(r.text()), 0o644))
}

// TestTheFaultsDocumentHasTheRows: who changes what is played writes the document anew.
func TestTheFaultsDocumentHasTheRows(t *testing.T) {
	if *update {
		return // this run writes it
	}
	b, err := os.ReadFile(faultsDocument)
	require.NoError(t, err, "run `make interop`")
	for _, x := range restartings {
		assert.Contains(t, string(b), fmt.Sprintf("| %s | %s | %d | ", x.column.broker, x.column.title(), x.qos))
	}
	for _, x := range sufferings {
		for _, f := range networks {
			assert.Contains(t, string(b), fmt.Sprintf("| %s | %s | %d | %s | ", x.column.broker, x.column.title(), x.qos, f.name))
		}
	}
}

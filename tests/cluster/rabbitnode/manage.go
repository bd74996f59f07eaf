//go:build linux

package rabbitnode

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/stretchr/testify/require"
)

// Manage calls the node's management API, path without /api, as its administrator. The answer goes into
// out, unless that is nil or the answer is not a success.
func (n *Node) Manage(ctx context.Context, method, path string, body, out any) (status int, err error) {
	var b []byte
	if body != nil {
		if b, err = json.Marshal(body); err != nil {
			return 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://127.0.0.1:%d/api%s", n.Management, path), bytes.NewReader(b))
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth(n.User, n.Password)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if out != nil && res.StatusCode/100 == 2 {
		err = json.NewDecoder(res.Body).Decode(out)
	}
	return res.StatusCode, err
}

// Ctl runs rabbitmqctl for the node and gives what it says.
func (n *Node) Ctl(args ...string) string {
	n.t.Helper()
	said, err := n.ctl(args...)
	require.NoError(n.t, err, "rabbitmqctl %v: %s", args, said)
	return said
}

func (n *Node) ctl(args ...string) (string, error) {
	n.t.Helper()
	said, err := n.inside("/usr/lib/rabbitmq/bin/rabbitmqctl", args...).CombinedOutput()
	return string(said), err
}

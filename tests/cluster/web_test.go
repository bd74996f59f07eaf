//go:build linux

package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// web is for calls of the REST API, many at once.
var web = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// call calls a cloud's API, path below its app. An error means that nothing is known about the outcome.
func call(ctx context.Context, c *cloud.Cloud, token, method, path string, body any) (status int, answer map[string]any, err error) {
	var text []byte
	if body != nil {
		if text, err = json.Marshal(body); err != nil {
			return 0, nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Ready.API+"/apps/"+c.Ready.AppID+path, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Kii-AppID", c.Ready.AppID)
	req.Header.Set("X-Kii-AppKey", c.Ready.AppKey)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := web.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err == nil && len(all) > 0 {
		if err = json.Unmarshal(all, &answer); err != nil {
			err = fmt.Errorf("%w: %s", err, all)
		}
	}
	return res.StatusCode, answer, err
}

package cloud

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/stretchr/testify/require"
)

// User is a registered user with a token.
type User struct {
	LoginName, Password, ID, Token string
}

var users atomic.Int64

// NewUser registers a user and logs in.
func (c *Cloud) NewUser() User {
	c.t.Helper()
	u := User{LoginName: "user-" + strconv.FormatInt(users.Add(1), 10), Password: "a long enough password"}
	status, body := c.Call("POST", "/apps/"+c.Ready.AppID+"/users", "",
		"application/vnd.kii.RegistrationRequest+json", map[string]any{"loginName": u.LoginName, "password": u.Password})
	require.Equal(c.t, http.StatusCreated, status, "%v", body)
	status, body = c.Call("POST", "/oauth2/token", "", "application/json",
		map[string]any{"username": u.LoginName, "password": u.Password})
	require.Equal(c.t, http.StatusOK, status, "%v", body)
	u.ID, _ = body["id"].(string)
	u.Token, _ = body["access_token"].(string)
	require.NotEmpty(c.t, u.Token)
	return u
}

// Push sends data to the user's own installations and returns the pushMessageID.
func (c *Cloud) Push(u User, data map[string]any) string {
	c.t.Helper()
	status, body := c.Call("POST", "/apps/"+c.Ready.AppID+"/users/me/push/messages", u.Token,
		"application/vnd.kii.SendPushMessageRequest+json",
		map[string]any{"data": data, "mqtt": map[string]any{"enabled": true}})
	require.Equal(c.t, http.StatusCreated, status, "%v", body)
	id, _ := body["pushMessageID"].(string)
	require.NotEmpty(c.t, id)
	return id
}

// Call sends one REST request, token and body optional, and returns status and JSON body.
func (c *Cloud) Call(method, path, token, contentType string, body any) (int, map[string]any) {
	c.t.Helper()
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		require.NoError(c.t, err)
		reader = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.Ready.API+path, reader)
	require.NoError(c.t, err)
	req.Header.Set("X-Kii-AppID", c.Ready.AppID)
	req.Header.Set("X-Kii-AppKey", c.Ready.AppKey)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	out := map[string]any{}
	if len(b) > 0 {
		require.NoError(c.t, json.Unmarshal(b, &out), "%s", b)
	}
	return res.StatusCode, out
}

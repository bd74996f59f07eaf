package cloud

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// Admin logs the administrator in and gives the token.
func (c *Cloud) Admin() string {
	c.t.Helper()
	status, body := c.Call("POST", "/oauth2/token", "", "application/json",
		map[string]any{"client_id": c.Ready.ClientID, "client_secret": c.Ready.ClientSecret})
	require.Equal(c.t, http.StatusOK, status, "%v", body)
	token, _ := body["access_token"].(string)
	require.NotEmpty(c.t, token)
	return token
}

// PseudoUser registers a user without names or password. It may be called from any goroutine.
func (c *Cloud) PseudoUser() (id, token string, err error) {
	status, body, err := c.try("POST", "/apps/"+c.Ready.AppID+"/users", "",
		"application/vnd.kii.RegistrationAndAuthorizationRequest+json", map[string]any{})
	if err != nil {
		return "", "", err
	}
	id, _ = body["userID"].(string)
	token, _ = body["_accessToken"].(string)
	if status != http.StatusCreated || id == "" || token == "" {
		return "", "", fmt.Errorf("a pseudo user was not registered: %d %v", status, body)
	}
	return id, token, nil
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

// Offer sends a push of these data alone and tells whether it was accepted. A cloud that
// is not there accepts nothing. It may be called from any goroutine.
func (c *Cloud) Offer(u User, data map[string]any) bool {
	status, _, err := c.try("POST", "/apps/"+c.Ready.AppID+"/users/me/push/messages", u.Token,
		"application/vnd.kii.SendPushMessageRequest+json",
		map[string]any{"data": data, "mqtt": map[string]any{"enabled": true}, "sendSender": false})
	return err == nil && status == http.StatusCreated
}

// Call sends one REST request, token and body optional, and returns status and JSON body.
func (c *Cloud) Call(method, path, token, contentType string, body any) (int, map[string]any) {
	c.t.Helper()
	status, out, err := c.try(method, path, token, contentType, body)
	require.NoError(c.t, err)
	return status, out
}

func (c *Cloud) try(method, path, token, contentType string, body any) (int, map[string]any, error) {
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		reader = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, c.Ready.API+path, reader)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-Kii-AppID", c.Ready.AppID)
	req.Header.Set("X-Kii-AppKey", c.Ready.AppKey)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, err
	}
	out := map[string]any{}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			return 0, nil, fmt.Errorf("%w: %s", err, b)
		}
	}
	return res.StatusCode, out, nil
}

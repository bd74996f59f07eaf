package cloud

import (
	"context"
	"errors"
	"net/http"
)

// User is somebody without a name, who costs the cloud no password's hash.
type User struct {
	ID           string `json:"userID"`
	Token        string `json:"_accessToken"`
	Installation string `json:"-"`
}

// Endpoint is where and how a user connects.
type Endpoint struct {
	Username, Password, MQTTTopic, Host string
	PortWS                              int
}

// Register makes a user.
func (c *Cloud) Register(ctx context.Context) (u User, err error) {
	err = c.Do(ctx, http.MethodPost, c.App("/users"), "", "RegistrationAndAuthorizationRequest", map[string]any{}, &u)
	if err == nil && (u.Token == "" || u.ID == "") {
		err = errors.New("the cloud registers a user without an id or a token")
	}
	return u, err
}

// Install registers u for push.
func (c *Cloud) Install(ctx context.Context, u *User) error {
	var got struct {
		ID string `json:"installationID"`
	}
	err := c.Do(ctx, http.MethodPost, c.App("/installations"), u.Token, "InstallationCreationRequest",
		map[string]any{"deviceType": "MQTT", "development": false}, &got)
	u.Installation = got.ID
	return err
}

// Endpoint asks where u, who is installed, connects.
func (c *Cloud) Endpoint(ctx context.Context, u User) (e Endpoint, err error) {
	err = c.Do(ctx, http.MethodGet, c.App("/installations/"+u.Installation+"/mqtt-endpoint"), u.Token, "", nil, &e)
	return e, err
}

// Push sends data to u.
func (c *Cloud) Push(ctx context.Context, u User, data map[string]any) error {
	return c.send(ctx, c.App("/users/me/push/messages"), u.Token, data)
}

// Admin logs an administrator in and gives the token.
func (c *Cloud) Admin(ctx context.Context, clientID, secret string) (string, error) {
	var got struct {
		Token string `json:"access_token"`
	}
	err := c.Do(ctx, http.MethodPost, "/oauth2/token", "", "", map[string]any{"client_id": clientID, "client_secret": secret}, &got)
	return got.Token, err
}

// CreateTopic makes a topic of the app's.
func (c *Cloud) CreateTopic(ctx context.Context, token, topic string) error {
	return c.Do(ctx, http.MethodPut, c.App("/topics/"+topic), token, "", nil, nil)
}

// Subscribe has u get what is sent to a topic of the app's.
func (c *Cloud) Subscribe(ctx context.Context, u User, topic string) error {
	return c.Do(ctx, http.MethodPut, c.App("/topics/"+topic+"/push/subscriptions/users/"+u.ID), u.Token, "", nil, nil)
}

// SendToTopic sends data to all who have subscribed.
func (c *Cloud) SendToTopic(ctx context.Context, token, topic string, data map[string]any) error {
	return c.send(ctx, c.App("/topics/"+topic+"/push/messages"), token, data)
}

func (c *Cloud) send(ctx context.Context, path, token string, data map[string]any) error {
	message := map[string]any{"data": data, "mqtt": map[string]any{"enabled": true}}
	return c.Do(ctx, http.MethodPost, path, token, "SendPushMessageRequest", message, nil)
}

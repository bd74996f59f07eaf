package kiiweb

import "github.com/kiiweb/kiiweb/internal/session"

// watch is for other platforms: a browser shows the frames of a WebSocket by itself.
func (c Config) watch(s session.Config) session.Config { return s }

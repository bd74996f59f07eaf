package kiiweb

// Express is for this project's own loader, which hands out messages itself: what arrives
// comes the short way from now on, to the one that the loader calls receiver.
func (conn *Connection) Express(receiver int32) { conn.session.Express(receiver) }

package store

// dialect is what differs between databases: everything else in this package is one
// set of queries, with $1 parameters, ON CONFLICT and RETURNING, that SQLite and
// PostgreSQL both understand.
type dialect struct {
	name       string
	begin      string   // opens a transaction that may write
	migrations []string // schema steps, oldest first; a released step never changes
}

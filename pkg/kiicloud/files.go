package kiicloud

// filesKept are open files that are not for clients' connections: the store's, RabbitMQ's, listeners, those of who is being
// turned away, and what programs of this machine ask over HTTP, which is not counted.
const filesKept = 256

// connections is how many connections the cloud lets in, 0 for any number: no more than Config.MaxConnections, and than
// a limit of so many open files leaves, 0 where that is not known. Beyond the system's limit nobody would be told why, and the store could
// not open its own files either.
func (c Config) connections(files int) int {
	if files <= 0 {
		return c.MaxConnections
	}
	most := max(files-min(filesKept, files/2), 1)
	if c.MaxConnections > 0 && c.MaxConnections <= most {
		return c.MaxConnections
	}
	if !c.onLoopback() || !loopbackHost(c.advertised()) {
		c.Logger.Warn("fewer connections are let in than -limit-connections says: the process may not have as many files open (LimitNOFILE, ulimit -n)", "connections", most, "files", files)
	}
	return most
}

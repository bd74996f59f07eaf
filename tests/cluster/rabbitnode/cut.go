//go:build linux

package rabbitnode

import (
	"fmt"
	"strings"
)

// CutOff parts the node from the others, as a network can: their connections end, and no new ones come about until Heal.
// Clients reach it as before.
func (n *Node) CutOff() { n.part("cut-off", true) }

// Heal lets the nodes find each other again.
func (n *Node) Heal() { n.part(cookie, false) }

// part gives the node a cookie for the others with which they let it in, or not.
func (n *Node) part(cookie string, end bool) {
	n.t.Helper()
	var others []string
	for _, other := range n.cluster {
		if other != n {
			others = append(others, "'"+other.Name+"'")
		}
	}
	n.Ctl("eval", fmt.Sprintf("[begin erlang:set_cookie(N, '%s'), %t andalso erlang:disconnect_node(N) end || N <- [%s]].", cookie, end, strings.Join(others, ",")))
}

package api

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"

	"groove/internal/groove"
)

// Who may call a route.
type Who int

// The callers of a route.
const (
	Anyone    Who = iota // whoever came through the door
	UserOnly             // the daemon's user
	UserAgent            // the user, and agents within the route's own bounds
	Holder               // whoever holds a code that the user has made; agents' processes not
)

// door is one connection, looked at once, at its first request.
type door func() entry

// entry is how a connection came in, and who is behind it.
type entry struct {
	tcp     bool
	inside  bool             // of the daemon's own tree or an agent's cgroup
	agent   groove.AgentName // by process, "" = not known
	refused *Problem         // nil = admitted
}

type doorKey struct{}
type callerKey struct{}

// socketDoor looks at the process behind a Unix connection.
func socketDoor(c net.Conn, callers Callers, uid int) door {
	return sync.OnceValue(func() entry {
		pid, owner, err := peerProcess(c)
		if err != nil || owner != uid {
			return entry{refused: refused(groove.KindForbidden, "request: this socket belongs to another user", "run groove as the user who started the daemon")}
		}
		agent, inside := callers.ByPID(pid)
		return entry{agent: agent, inside: inside}
	})
}

// tcpDoor looks up whose socket the other end is.
func tcpDoor(c net.Conn, uid int) door {
	return sync.OnceValue(func() entry {
		if owner, known := tcpOwner(c.RemoteAddr(), c.LocalAddr()); known && owner == uid {
			return entry{tcp: true}
		}
		return entry{tcp: true, refused: refused(groove.KindForbidden, "request: the connection comes from another user of this machine", "run the program as the user who started the daemon")}
	})
}

// enter returns the connection's entry.
func enter(r *http.Request) entry {
	if d, ok := r.Context().Value(doorKey{}).(door); ok {
		return d()
	}
	return entry{refused: refused(groove.KindForbidden, "request: it came through no door", "")}
}

// callerOf returns who asks, or why they may not.
func (h *Handler) callerOf(r *http.Request, d entry) (groove.AgentName, *Problem) {
	if h.byCode(r) {
		return "", refusedInside(d)
	}
	byToken, p := h.tokenOf(r)
	if p != nil {
		return "", p
	}
	switch {
	case d.inside && d.agent == "" && byToken == "":
		return "", refused(groove.KindForbidden, "request: the program descends from the daemon and is of no agent", "")
	case d.inside && d.agent != "" && byToken != "" && d.agent != byToken:
		return "", refused(groove.KindForbidden, "request: the token is another agent's", "")
	case d.inside && byToken == groove.User:
		return "", notForAgents()
	case byToken != "":
		return byToken, nil
	case d.inside:
		return d.agent, nil
	case d.tcp:
		return "", refused(groove.KindNoToken, "request: a token is needed here", "agents: only within a session that groove started; users: groove open, or the groove command")
	}
	return groove.User, nil
}

// tokenOf returns who the request's token or ticket stands for, "" without one. A ticket
// is spent by that.
func (h *Handler) tokenOf(r *http.Request) (groove.AgentName, *Problem) {
	if auth := r.Header.Get("Authorization"); auth != "" {
		token := bearerOf(auth)
		if name, ok := h.callers.ByToken(token); token != "" && ok {
			return name, nil
		}
		if token != "" && h.keys.session(token) {
			return groove.User, nil
		}
		return "", refused(groove.KindNoToken, "request: the token is of no live session", "agents: only within a session that groove started; users: groove open")
	}
	if r.URL.Path == eventsPath && r.URL.Query().Has("ticket") {
		if !h.keys.spend(&h.keys.tickets, r.URL.Query().Get("ticket")) {
			return "", refused(groove.KindNoToken, "request: the ticket was used, is older than 30 seconds or was never given", "POST /api/tickets")
		}
		return groove.User, nil
	}
	return "", nil
}

// byCode reports whether the request brings a code in place of a token.
func (h *Handler) byCode(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == sessionPath && r.Header.Get("Authorization") == ""
}

// refusedInside refuses what a process of the daemon or of an agent may not do, whatever it
// holds.
func refusedInside(d entry) *Problem {
	if d.inside {
		return notForAgents()
	}
	return nil
}

func notForAgents() *Problem {
	return refused(groove.KindForbidden, "request: this is the user's to do, not an agent's", "ask the user")
}

func bearerOf(authorization string) string {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// callerFrom returns who asks, in a route's handler.
func callerFrom(ctx context.Context) groove.AgentName {
	name, _ := ctx.Value(callerKey{}).(groove.AgentName)
	return name
}

// own refuses an agent that names another one.
func own(ctx context.Context, ref string) error {
	caller := callerFrom(ctx)
	if caller == groove.User || string(caller) == ref {
		return nil
	}
	return refused(groove.KindForbidden, "request: an agent may do this only for itself", "")
}

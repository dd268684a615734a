package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"groove/internal/groove"
)

// checkHost refuses what a web page elsewhere can cause: a Host that is not
// loopback by name (DNS rebinding), and an Origin that is not that Host.
func checkHost(r *http.Request) *Problem {
	if !loopbackName(r.Host) {
		return refused(groove.KindForbidden, "request: the Host is not this machine's loopback", "use 127.0.0.1, localhost or [::1]")
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" || !strings.EqualFold(u.Host, r.Host) {
			return refused(groove.KindForbidden, "request: the Origin is another site", "")
		}
	}
	return nil
}

// loopbackName compares by name, whatever the port.
func loopbackName(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	switch strings.ToLower(name) {
	case "127.0.0.1", "localhost", "::1":
		return true
	}
	return false
}

package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"groove/internal/api"
	"groove/internal/groove"
)

// made posts without a body and reads what came.
func made[T any](t testing.TB, got reply) T {
	t.Helper()
	var out T
	if got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if err := json.Unmarshal([]byte(got.body), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// ticket makes one as the user.
func (r *running) ticket(t testing.TB) string {
	t.Helper()
	was := r.keep.Swap(&gatekeeper{})
	defer r.keep.Store(was)
	return made[api.Ticket](t, r.overSocket(t, "POST", "/api/tickets", "", nil)).Ticket
}

func (r *running) browser(t testing.TB) http.Header {
	t.Helper()
	code := made[api.OpenCode](t, r.overSocket(t, "POST", "/api/open", "", nil))
	return bearer(made[api.Session](t, r.overTCP(t, "POST", "/api/session", `{"code":"`+code.Code+`"}`, nil)).Token)
}

// TestABrowserIsTheUser: every route that is the user's, with a browser's bearer.
func TestABrowserIsTheUser(t *testing.T) {
	r := start(t, gatekeeper{})
	for _, row := range api.NewHandler(r.house.backend(), gatekeeper{}, nil).Table() {
		if row.Who == api.Holder {
			continue
		}
		got := r.overTCP(t, row.Method, good(row), bodies[row.ID], r.browser(t))
		if ok := max(row.Status, 200); got.status != ok && !(row.ID == "stop" && got.status == 202) {
			t.Errorf("%s: %d %s, want %d", row.ID, got.status, got.body, ok)
		}
	}
}

func TestCodesAndTickets(t *testing.T) {
	r := start(t, gatekeeper{})
	code := func() string {
		c := made[api.OpenCode](t, r.overSocket(t, "POST", "/api/open", "", nil))
		if c.URL != "http://"+r.addr+"/#code="+c.Code {
			t.Errorf("the address is %s", c.URL)
		}
		return `{"code":"` + c.Code + `"}`
	}
	trade := func(body string) reply { return r.overTCP(t, "POST", "/api/session", body, nil) }
	look := func(head http.Header) reply { return r.overTCP(t, "GET", "/api/status", "", head) }
	listen := func(ticket string) reply { return r.overTCP(t, "GET", "/api/events?ticket="+ticket, "", nil) }
	spent := code()
	in := bearer(made[api.Session](t, trade(spent)).Token)
	twice := trade(spent)
	used := r.ticket(t)
	if got := listen(used); got.status != 200 {
		t.Errorf("a ticket: %d %s", got.status, got.body)
	}
	usedTwice := listen(used)
	late, lateTicket := code(), r.ticket(t)
	r.forward(29 * time.Second)
	early := code()
	r.forward(2 * time.Second)
	for _, row := range []struct {
		why  string
		got  reply
		want int
	}{
		{"a code twice", twice, 401},
		{"a code that was never given", trade(`{"code":"AAAAAAAAAAAAAAAAAAAAAAAAAAA"}`), 401},
		{"a code of 31 seconds", trade(late), 401},
		{"a code of 2 seconds", trade(early), 201},
		{"a code with another member", trade(`{"code":"x","as":"user"}`), 422},
		{"a ticket twice", usedTwice, 401},
		{"a ticket of 31 seconds", listen(lateTicket), 401},
		{"no ticket", listen(""), 401},
		{"a bearer as a ticket", listen(strings.TrimPrefix(in.Get("Authorization"), "Bearer ")), 401},
		{"a ticket as a bearer", look(bearer(r.ticket(t))), 401},
		{"the bearer", look(in), 200},
	} {
		if row.got.status != row.want {
			t.Errorf("%s: %d %s, want %d", row.why, row.got.status, row.got.body, row.want)
		}
		if row.got.status == 401 && row.got.problem(t).Kind != groove.KindNoToken {
			t.Errorf("%s: %s", row.why, row.got.body)
		}
	}
	r.forward(11 * time.Hour)
	if got := look(in); got.status != 200 {
		t.Errorf("a bearer that was used 11 hours ago: %d", got.status)
	}
	r.forward(13 * time.Hour)
	if got := look(in); got.status != 401 {
		t.Errorf("a bearer that was not used for 13 hours: %d", got.status)
	}
}

func TestSigningOut(t *testing.T) {
	r := start(t, gatekeeper{})
	look := func(head http.Header) int { return r.overTCP(t, "GET", "/api/status", "", head).status }
	a, b, c := r.browser(t), r.browser(t), r.browser(t)
	if got := r.overTCP(t, "DELETE", "/api/session", "", a); got.status != 204 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if look(a) != 401 || look(b) != 200 {
		t.Error("signing one browser out ended another, or not this one")
	}
	played := &tape{closed: make(chan struct{})}
	r.house.subscribe = func(*uint64) (api.EventReader, error) { return played, nil }
	conn, _, err := dial(t, r, "?ticket="+r.ticket(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	r.overSocket(t, "DELETE", "/api/session", "", nil)
	var closed websocket.CloseError
	if _, _, err := conn.Read(t.Context()); !errors.As(err, &closed) || closed.Code != 4401 {
		t.Errorf("who looks on is let go: %v", err)
	}
	<-played.closed
	if look(b) != 401 || look(c) != 401 {
		t.Error("the socket's user signs out every browser")
	}
}

// TestAnAgentWithABrowsersBearer: what an agent's process brings along does not make it the user.
func TestAnAgentWithABrowsersBearer(t *testing.T) {
	r := start(t, gatekeeper{})
	head, ticket := r.browser(t), r.ticket(t)
	for _, keep := range []gatekeeper{{"backend", true}, {"", true}} {
		r.keep.Store(&keep)
		if p := r.overSocket(t, "GET", "/api/status", "", head).problem(t); p.Kind != groove.KindForbidden {
			t.Error(p.Kind)
		}
		if p := r.overSocket(t, "GET", "/api/events?ticket="+ticket, "", nil).problem(t); p.Kind != groove.KindForbidden && p.Kind != groove.KindNoToken {
			t.Error(p.Kind)
		}
	}
}

func TestThePage(t *testing.T) {
	r := start(t, gatekeeper{})
	for path, kind := range map[string]string{"/": "text/html", "/page.js": "text/javascript", "/page.css": "text/css", "/groove.svg": "image/svg+xml"} {
		resp, err := http.Get("http://" + r.addr + path) //nolint:noctx // a test's own server
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		csp := resp.Header.Get("Content-Security-Policy")
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, resp.StatusCode, resp.Header)
		}
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self';") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: %s", path, csp)
		}
	}
	page := r.overTCP(t, "GET", "/", "", nil).body
	for _, bad := range []string{"<style", " style=", " onclick=", " onload=", "<script>", "http://", "https://"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q, which its policy forbids or which asks another site", bad)
		}
	}
	if script := r.overTCP(t, "GET", "/page.js", "", nil).body; strings.Contains(script, "innerHTML") || strings.Contains(script, "localStorage") {
		t.Error("the script writes HTML, or keeps the bearer longer than the tab")
	}
	if p := r.overTCP(t, "GET", "/", "", http.Header{"Host": {"evil.example"}}).problem(t); p.Kind != groove.KindForbidden {
		t.Error("the page under a foreign name:", p.Kind)
	}
	if got := r.overTCP(t, "POST", "/", "", nil); got.status != 401 {
		t.Errorf("POST /: %d", got.status)
	}
}

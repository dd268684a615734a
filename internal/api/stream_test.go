package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"groove/internal/api"
	"groove/internal/groove"
)

// tape is a reader that plays batches and then ends.
type tape struct {
	batches []*groove.EventBatch
	end     error // nil: it waits for its client to go
	closed  chan struct{}
}

func (p *tape) Next(ctx context.Context) (*groove.EventBatch, error) {
	if len(p.batches) > 0 {
		b := p.batches[0]
		p.batches = p.batches[1:]
		return b, nil
	}
	if p.end != nil {
		return nil, p.end
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func (p *tape) Close() { close(p.closed) }

func one(n int) *groove.EventBatch {
	text := `{"n":` + strconv.Itoa(n) + `,"topic":"job","id":"a","state":"open"}`
	return &groove.EventBatch{Last: uint64(n), JSON: []byte("[" + text + "]"), SSE: []byte("id: " + strconv.Itoa(n) + "\nevent: job\ndata: " + text + "\n\n")}
}

func refusing(kind groove.Kind) func(*uint64) (api.EventReader, error) {
	return func(*uint64) (api.EventReader, error) {
		return nil, groove.Errorf("read events", kind, "they are gone").WithFix("GET /api/snapshot")
	}
}

func TestEventsAsText(t *testing.T) {
	r := start(t, gatekeeper{})
	var asked *uint64
	r.house.subscribe = func(since *uint64) (api.EventReader, error) {
		asked = since
		return &tape{batches: []*groove.EventBatch{one(8), one(9)}, end: groove.Errorf("read events", groove.KindEventSlow, "x"), closed: make(chan struct{})}, nil
	}
	for _, row := range []struct {
		why, query string
		last       string
		since      string
	}{
		{"from now on", "", "", "none"},
		{"from a number", "?since=7", "", "7"},
		{"a browser that connects again has the address of its first time", "?since=7", "9", "9"},
		{"from the beginning", "?since=0", "", "0"},
	} {
		head := http.Header{"Accept": {"text/event-stream"}}
		if row.last != "" {
			head.Set("Last-Event-ID", row.last)
		}
		got := r.overSocket(t, "GET", "/api/events"+row.query, "", head)
		want := ": events\n\n" + string(one(8).SSE) + string(one(9).SSE) + "event: end\ndata: {\"kind\":\"event.slow\"}\n\n"
		if got.status != 200 || got.kind != "text/event-stream" || got.body != want {
			t.Errorf("%s: %d %s %s", row.why, got.status, got.kind, got.body)
		}
		since := "none"
		if asked != nil {
			since = strconv.FormatUint(*asked, 10)
		}
		if since != row.since {
			t.Errorf("%s: asked for what came after %s", row.why, since)
		}
	}
	for _, row := range []struct{ why, query, last string }{
		{"no number", "?since=yesterday", ""},
		{"a negative one", "?since=-1", ""},
		{"one too large", "?since=18446744073709551616", ""},
		{"one that is none, from a browser", "", "x"},
		{"a query that is not known", "?since=1&topic=job", ""},
	} {
		head := http.Header{}
		if row.last != "" {
			head.Set("Last-Event-ID", row.last)
		}
		if p := r.overSocket(t, "GET", "/api/events"+row.query, "", head).problem(t); p.Kind != groove.KindInvalid || len(p.Errors) != 1 {
			t.Errorf("%s: %+v", row.why, p)
		}
	}
	r.house.subscribe = refusing(groove.KindEventGone)
	if p := r.overSocket(t, "GET", "/api/events?since=1", "", nil).problem(t); p.Status != 410 || p.Kind != groove.KindEventGone || p.Fix == "" {
		t.Errorf("too old: %+v", p)
	}
}

func dial(t testing.TB, r *running, query string, head http.Header) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	return websocket.Dial(t.Context(), "ws://"+r.addr+"/api/events"+query, &websocket.DialOptions{HTTPHeader: head})
}

func TestEventsOverAWebSocket(t *testing.T) {
	r := start(t, gatekeeper{})
	played := &tape{batches: []*groove.EventBatch{one(8)}, closed: make(chan struct{})}
	r.house.subscribe = func(*uint64) (api.EventReader, error) { return played, nil }
	conn, _, err := dial(t, r, "?since=7&ticket="+r.ticket(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	kind, text, err := conn.Read(t.Context())
	var list []groove.Event
	if err != nil || kind != websocket.MessageText || json.Unmarshal(text, &list) != nil || len(list) != 1 || list[0].N != 8 {
		t.Errorf("%v %s %v", kind, text, err)
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	<-played.closed // a client that leaves ends its reader

	for _, row := range []struct {
		why  string
		kind groove.Kind
		code websocket.StatusCode
	}{
		{"too old: a page sees no status of a handshake that failed", groove.KindEventGone, 4410},
		{"too many", groove.KindRate, 4429},
		{"a daemon that stops", groove.KindDaemonDown, websocket.StatusGoingAway},
	} {
		r.house.subscribe = refusing(row.kind)
		conn, _, err := dial(t, r, "", r.browser(t))
		if err != nil {
			t.Fatal(err)
		}
		var closed websocket.CloseError
		if _, _, err := conn.Read(t.Context()); !errors.As(err, &closed) || closed.Code != row.code || closed.Reason != string(row.kind) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	for _, row := range []struct {
		why, query string
		head       http.Header
		status     int
	}{
		{"nobody", "", nil, 401},
		{"an agent", "", bearer(token), 403},
		{"a page elsewhere with a ticket", "?ticket=" + r.ticket(t), http.Header{"Origin": {"https://evil.example"}}, 403},
		{"a ticket that was never given", "?ticket=x", nil, 401},
	} {
		conn, resp, err := dial(t, r, row.query, row.head)
		if err == nil {
			conn.CloseNow()
			t.Errorf("%s was let in", row.why)
		} else if resp == nil || resp.StatusCode != row.status {
			t.Errorf("%s: %v %v", row.why, resp, err)
		}
	}
}

// TestClientsThatComeAndGo leave nothing behind: goleak looks after the last one.
func TestClientsThatComeAndGo(t *testing.T) {
	r := start(t, gatekeeper{})
	head := r.browser(t)
	readers := make(chan *tape, 1)
	r.house.subscribe = func(*uint64) (api.EventReader, error) {
		p := &tape{batches: []*groove.EventBatch{one(1)}, closed: make(chan struct{})}
		readers <- p
		return p, nil
	}
	for i := range 1000 {
		ctx, leave := context.WithCancel(t.Context())
		if i%2 == 0 {
			conn, _, err := dial(t, r, "", head)
			if err != nil {
				t.Fatal(err)
			}
			conn.CloseNow()
		} else {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.addr+"/api/events", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = head.Clone()
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			leave()
			resp.Body.Close()
		}
		leave()
		<-(<-readers).closed
	}
}

func TestListsComeInPages(t *testing.T) {
	r := start(t, gatekeeper{})
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		r.house.agents = append(r.house.agents, groove.Agent{Name: groove.AgentName(name), Created: at, Since: at})
	}
	path, names := "/api/agents?limit=2", ""
	for pages := 0; path != ""; pages++ {
		if pages > 3 {
			t.Fatal("the pages do not end")
		}
		got := r.overSocket(t, "GET", path, "", nil)
		var list []groove.Agent
		if err := json.Unmarshal([]byte(got.body), &list); err != nil || len(list) == 0 || len(list) > 2 {
			t.Fatalf("%s: %s", path, got.body)
		}
		for _, a := range list {
			names += string(a.Name)
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(got.link, "<"), ">")
	}
	if names != "abcde" {
		t.Errorf("the pages hold %q", names)
	}
	if p := r.overSocket(t, "GET", "/api/agents?limit=2&after=gone", "", nil).problem(t); p.Kind != groove.KindExpired {
		t.Errorf("after one that was deleted meanwhile: %+v", p)
	}
}

// endless is a reader with ever more.
type endless struct{ closed chan struct{} }

func (p *endless) Next(ctx context.Context) (*groove.EventBatch, error) {
	return &groove.EventBatch{JSON: make([]byte, 1<<20), SSE: make([]byte, 1<<20)}, ctx.Err()
}

func (p *endless) Close() { close(p.closed) }

// TestAClientThatDoesNotReadIsLetGo: its goroutine does not wait for it.
func TestAClientThatDoesNotReadIsLetGo(t *testing.T) {
	r := start(t, gatekeeper{}, 50*time.Millisecond)
	head := r.browser(t)
	for _, socket := range []bool{true, false} {
		p := &endless{make(chan struct{})}
		r.house.subscribe = func(*uint64) (api.EventReader, error) { return p, nil }
		if socket {
			conn, _, err := dial(t, r, "", head)
			if err != nil {
				t.Fatal(err)
			}
			<-p.closed
			conn.CloseNow()
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.addr+"/api/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = head
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		<-p.closed
		resp.Body.Close()
	}
}

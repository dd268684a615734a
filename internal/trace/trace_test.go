package trace_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/internal/trace"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	at = time.Date(2026, 4, 12, 20, 30, 0, 0, time.UTC)
	// id is made 5 ms before at.
	id = made(at.Add(-5 * time.Millisecond))
)

// made is an ID of that time.
func made(at time.Time) (id groove.MessageID) {
	for i, ms := 5, at.UnixMilli(); i >= 0; i-- {
		id[i], ms = byte(ms), ms>>8
	}
	id[6], id[8] = 0x70, 0x80
	return id
}

// scene is a tracer with a collector and a clock of its own.
type scene struct {
	*trace.Tracer
	t    *testing.T
	now  time.Time
	log  bytes.Buffer
	mu   sync.Mutex
	text []string // spans as "name from to status", times in ms from at
	ids  []string
}

func play(t *testing.T, answer func(http.ResponseWriter, *http.Request), fn func(*scene)) *scene {
	t.Helper()
	s := &scene{t: t, now: at}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer != nil {
			answer(w, r)
			return
		}
		s.take(r.Body)
	}))
	defer server.Close()
	s.Tracer = trace.New(trace.Options{Endpoint: server.URL, Self: "self", Version: "1", Clock: func() time.Time { return s.now }, Random: rand.Reader,
		Log: slog.New(slog.NewTextHandler(&s.log, nil))})
	fn(s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what waits is sent all the same
	s.Run(ctx)
	return s
}

func (s *scene) take(body io.Reader) {
	var x struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Spans []struct {
					SpanID, ParentSpanID, Name         string
					StartTimeUnixNano, EndTimeUnixNano int64 `json:",string"`
					Status                             struct{ Code int }
				}
			}
		}
	}
	if err := json.NewDecoder(body).Decode(&x); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range x.ResourceSpans[0].ScopeSpans[0].Spans {
		ms := func(n int64) int64 { return (n - at.UnixNano()) / 1e6 }
		s.text = append(s.text, fmt.Sprintf("%s %d %d %d", p.Name, ms(p.StartTimeUnixNano), ms(p.EndTimeUnixNano), p.Status.Code))
		s.ids = append(s.ids, p.SpanID+" "+p.ParentSpanID)
	}
}

func (s *scene) move(after int, d groove.Direction, states ...string) {
	s.now = at.Add(time.Duration(after) * time.Millisecond)
	var all []groove.MessageChange
	for _, state := range states {
		all = append(all, groove.MessageChange{ID: id, Direction: d, State: state})
	}
	s.Moved(all)
}

func (s *scene) cross(after int, d groove.Direction) {
	s.now = at.Add(time.Duration(after) * time.Millisecond)
	s.Crossed(groove.Crossing{ID: id, Direction: d, Peer: "peer", Job: "job", From: "a", To: "b"})
}

func TestWays(t *testing.T) {
	for _, row := range []struct {
		why  string
		play func(*scene)
		want []string
	}{
		{"sent and answered: the first span begins when the call came", func(s *scene) {
			s.move(0, groove.Out, "queued")
			s.cross(10, groove.Out)
			s.move(20, groove.Out, "stored")
			s.move(30, groove.Out, "delivered", "started")
			s.move(40, groove.Out, "answered")
		}, []string{"out queued -5 0 0", "out sent 0 10 0", "out stored 10 20 0", "out delivered 20 30 0", "out started 30 30 0", "out answered 30 40 0"}},
		{"received: reading it off the connection begins the first span", func(s *scene) {
			s.cross(10, groove.In)
			s.move(12, groove.In, "stored")
			s.move(50, groove.In, "delivering")
			s.move(51, groove.In, "delivered")
		}, []string{"in stored 10 12 0", "in delivering 12 50 0", "in delivered 50 51 0"}},
		{"received a second time: its id is known and nothing moves", func(s *scene) {
			s.cross(10, groove.In)
			s.cross(11, groove.In)
			s.move(12, groove.In, "stored")
		}, []string{"in stored 11 12 0"}},
		{"the connection broke: handed to two", func(s *scene) {
			s.move(0, groove.Out, "queued")
			s.cross(10, groove.Out)
			s.move(20, groove.Out, "queued")
			s.cross(90, groove.Out)
			s.move(95, groove.Out, "stored")
		}, []string{"out queued -5 0 0", "out sent 0 10 0", "out queued -5 20 0", "out sent 20 90 0", "out stored 90 95 0"}},
		{"refused and expired are errors", func(s *scene) {
			s.move(1, groove.In, "expired")
			s.move(0, groove.Out, "queued")
			s.move(5, groove.Out, "refused")
		}, []string{"in expired 1 1 2", "out queued -5 0 0", "out refused 0 5 2"}},
		{"of a way that began before the start of the daemon only its end is known", func(s *scene) {
			s.move(70, groove.Out, "started")
		}, []string{"out started 70 70 0"}},
		{"within this daemon", func(s *scene) {
			s.move(0, groove.Here, "stored")
			s.move(9, groove.Here, "delivering")
		}, []string{"local stored -5 0 0", "local delivering 0 9 0"}},
		{"both ways are of one daemon: they are not mixed", func(s *scene) {
			s.move(0, groove.Out, "queued")
			s.move(3, groove.In, "stored")
			s.move(4, groove.Out, "stored")
		}, []string{"out queued -5 0 0", "in stored 3 3 0", "out stored 0 4 0"}},
		{"a clock that was set back makes no span that ends before it begins", func(s *scene) {
			s.move(50, groove.Out, "stored")
			s.move(20, groove.Out, "delivered")
		}, []string{"out stored 50 50 0", "out delivered 20 20 0"}},
	} {
		s := play(t, nil, row.play)
		if diff := cmp.Diff(row.want, s.text); diff != "" {
			t.Errorf("%s:\n%s", row.why, diff)
		}
		if sent, dropped := s.Stats(); int(sent) != len(row.want) || dropped != 0 {
			t.Errorf("%s: %d sent, %d dropped", row.why, sent, dropped)
		}
	}
}

// TestSpansHangOnOne that both daemons know without a word about it, and have IDs of their own.
func TestSpansHangOnOne(t *testing.T) {
	sender := play(t, nil, func(s *scene) {
		s.move(0, groove.Out, "queued")
		s.cross(1, groove.Out)
	})
	receiver := play(t, nil, func(s *scene) { s.move(2, groove.In, "stored", "delivering") })
	root, _, _ := strings.Cut(sender.ids[0], " ")
	var own []string
	for _, pair := range append(sender.ids[1:], receiver.ids...) {
		self, parent, _ := strings.Cut(pair, " ")
		if parent != root || self == root || len(self) != 16 || slices.Contains(own, self) {
			t.Errorf("%q hangs on %q, not on %q", self, parent, root)
		}
		own = append(own, self)
	}
	if sender.ids[0] != root+" " || len(root) != 16 {
		t.Errorf("the root is %q", sender.ids[0])
	}
}

// TestNothingWaits: with nobody at work the queue fills, the rest is counted as dropped, and
// no caller is held up.
func TestNothingWaits(t *testing.T) {
	s := play(t, nil, func(s *scene) {
		for i := range 9000 {
			s.Moved([]groove.MessageChange{{ID: groove.MessageID{byte(i >> 8), byte(i)}, Direction: groove.Out, State: "queued"}})
		}
	})
	sent, dropped := s.Stats()
	if sent+dropped != 9000 || dropped < 9000-8192 || sent == 0 {
		t.Errorf("%d sent, %d dropped", sent, dropped)
	}
}

// TestCollectorsThatFail: what they do not take is counted, the log says so once, and a stop
// waits for none of them.
func TestCollectorsThatFail(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("told to %s", r.Host) }))
	defer elsewhere.Close()
	for why, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"it refuses": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"it sends us elsewhere, which is not where the user wants it told": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"it never answers": func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Error(err)
			}
			<-r.Context().Done()
		},
	} {
		s := play(t, answer, func(s *scene) {
			for i := range 1200 {
				s.Moved([]groove.MessageChange{{ID: groove.MessageID{byte(i >> 8), byte(i)}, Direction: groove.Out, State: "queued"}})
			}
		})
		if sent, dropped := s.Stats(); sent != 0 || dropped != 1200 {
			t.Errorf("%s: %d sent, %d dropped", why, sent, dropped)
		}
		if n := strings.Count(s.log.String(), "spans not taken"); n != 1 {
			t.Errorf("%s: the log says it %d times", why, n)
		}
	}
}

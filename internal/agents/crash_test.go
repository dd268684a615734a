package agents_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/store"

	"pgregory.net/rapid"
)

// crasher takes, at one of the points that it is led past, a picture of all that a
// kill -9 there would leave: the store's files and the program's history.
type crasher struct {
	w     *world
	to    string
	after int // points to pass before
	hit   chan struct{}
	looks bool     // looks at letters are points too
	left  *program // the program as the crash leaves it

	mu sync.Mutex
	n  int
}

// due counts the points.
func (c *crasher) due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n == c.after
}

// passed reports whether the point was passed: its picture is taken, or about to be.
func (c *crasher) passed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n >= c.after
}

// inWriter is a point in the store's writer goroutine: nothing is written meanwhile.
func (c *crasher) inWriter() {
	if c.due() {
		c.picture()
	}
}

// elsewhere is a point in any other goroutine, which stands still meanwhile.
func (c *crasher) elsewhere(string) {
	if c.due() {
		err := c.w.st.Do(context.Background(), func(*store.Tx) error { c.picture(); return nil })
		if err != nil {
			panic(err)
		}
	}
}

func (c *crasher) picture() {
	for _, name := range []string{"groove.db", "groove.db-wal"} {
		b, err := os.ReadFile(filepath.Join(c.w.dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(c.to, name), b, 0o600)
		}
		if err != nil {
			panic(err)
		}
	}
	p := c.w.prog
	p.mu.Lock()
	c.left = &program{history: maps.Clone(p.history), started: p.started, noLoad: p.noLoad, at: func(string) {}}
	p.mu.Unlock()
	close(c.hit)
	c.w.tell()
}

// crashingMail leads the crasher past every commit that touches letters, before and after,
// and where it looks past every look at them.
type crashingMail struct {
	agents.Mail
	c *crasher
}

func (m crashingMail) Mark(tx *store.Tx, pos []int64, state groove.InboxState, turn int64) error {
	m.c.inWriter()
	tx.AfterCommit(m.c.inWriter)
	return m.Mail.Mark(tx, pos, state, turn)
}

func (m crashingMail) Waiting(ctx context.Context, agent groove.AgentName, max, maxBytes int) ([]groove.Letter, error) {
	if m.c.looks {
		m.c.elsewhere("the inbox is looked at")
	}
	return m.Mail.Waiting(ctx, agent, max, maxBytes)
}

func (m crashingMail) InDoubt(ctx context.Context, agent groove.AgentName) ([]groove.Letter, error) {
	if m.c.looks {
		m.c.elsewhere("a session is to be opened")
	}
	return m.Mail.InDoubt(ctx, agent)
}

func (m crashingMail) Return(tx *store.Tx, pos []int64, mayRepeat bool) error {
	m.c.inWriter()
	tx.AfterCommit(m.c.inWriter)
	return m.Mail.Return(tx, pos, mayRepeat)
}

// TestExactlyOnce: whatever instant the daemon and its programs are killed at,
// again and again, each message is in the agent's history exactly once and in
// order; without a history to be had, what comes twice says that it may.
func TestExactlyOnce(t *testing.T) {
	crashes := 0
	rapid.Check(t, func(rt *rapid.T) {
		noLoad := rapid.Bool().Draw(rt, "no load")
		plan := rapid.SliceOfN(rapid.IntRange(1, 30), 0, 4).Draw(rt, "crash after")
		groups := rapid.SliceOfN(rapid.SampledFrom([]groove.AgentName{"b", "c", groove.User}), 1, 6).Draw(rt, "letters")
		root, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		p := newProgram()
		p.noLoad = noLoad
		w, c := crashWorld(t, rt, root, 0, p, append(plan, 0)[0])
		w.spawn("a", "")
		for i, from := range groups {
			w.put(from, "a", fmt.Sprintf("text %d", i))
		}
		for i := range append(plan, 0) {
			crashed := false
			w.until("all are started, or a crash", func() bool {
				select {
				case <-c.hit:
					crashed = true
					return true
				default:
					return w.allStarted("a", len(w.states("a"))) && w.status("a") == groove.AgentIdle
				}
			})
			if !crashed {
				break
			}
			crashes++
			w.close()
			w, c = crashWorld(t, rt, root, i+1, c.left, append(plan, 0)[i+1])
			if _, exists := w.e.Lookup("a"); !exists { // killed before its birth was told
				w.close()
				return
			}
		}
		judgeHistory(t, rt, w, noLoad)
		w.close()
	})
	if crashes < 10 {
		t.Errorf("only %d crashes: the test tries too little", crashes)
	}
}

// crashWorld is the world number n, in what the crash before it left.
func crashWorld(t *testing.T, rt *rapid.T, root string, n int, p *program, after int, tune ...func(*agents.Options)) (*world, *crasher) {
	dir, next := filepath.Join(root, fmt.Sprint(n)), filepath.Join(root, fmt.Sprint(n+1))
	for _, d := range []string{dir, next} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			rt.Fatal(err)
		}
	}
	c := &crasher{to: next, after: after, hit: make(chan struct{}), looks: len(tune) > 0}
	p.at = c.elsewhere
	w := newWorld(t, dir, p, func(o *agents.Options) {
		o.Mail = crashingMail{o.Mail, c}
		for _, f := range tune {
			f(o)
		}
	}, func(early *world) { c.w = early })
	return w, c
}

// judgeHistory compares what the program has seen with what was committed for it
// before the last crash.
func judgeHistory(t *testing.T, rt *rapid.T, w *world, noLoad bool) {
	ids, marked := committed(t, rt, w)
	var seen []groove.MessageID
	for _, text := range w.prog.prompts() {
		for _, id := range ids {
			if strings.Contains(text, ` id="`+id.String()+`"`) || strings.HasSuffix(text, "(groove message "+id.String()+")") {
				seen = append(seen, id)
			}
		}
	}
	if !noLoad && !slices.Equal(seen, ids) {
		rt.Fatalf("the history holds %v, want %v", seen, ids)
	}
	for _, id := range ids {
		n := 0
		for _, s := range seen {
			if s == id {
				n++
			}
		}
		if n == 0 || n > 1 && !marked[id] {
			rt.Fatalf("%s was shown %d times, may repeat %v", id, n, marked[id])
		}
	}
}

// committed is the inbox in order, and which letters may repeat.
func committed(t *testing.T, rt *rapid.T, w *world) (ids []groove.MessageID, marked map[groove.MessageID]bool) {
	rows, err := w.st.Read().QueryContext(t.Context(), "SELECT id, may_repeat FROM inbox ORDER BY pos")
	if err != nil {
		rt.Fatal(err)
	}
	defer rows.Close()
	marked = map[groove.MessageID]bool{}
	for rows.Next() {
		var id []byte
		var may bool
		if err := rows.Scan(&id, &may); err != nil {
			rt.Fatal(err)
		}
		ids = append(ids, groove.MessageID(id))
		marked[groove.MessageID(id)] = may
	}
	if rows.Err() != nil {
		rt.Fatal(rows.Err())
	}
	return ids, marked
}

// Package crash kills daemons at random moments and then counts: every message that
// was committed must stand exactly once in the session history of the agent that it was for.
package crash

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"

	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) { harness.Main(m) }

// scale is how much one run does; the soak build tag raises it.
type scale struct {
	messages, kills int
}

func TestCrashLoad(t *testing.T)   { crash(t, size, true) }
func TestCrashNoLoad(t *testing.T) { crash(t, scale{size.messages / 4, size.kills / 2}, false) }

func crash(t *testing.T, s scale, load bool) {
	a, b := harness.New(t, "laptop", "127.0.0.1"), harness.New(t, "vps", "127.0.0.2")
	for _, n := range []*harness.Node{a, b} {
		n.Flags["rate"] = "off"
		n.Start()
	}
	harness.Pair(t, a, b)
	script := fmt.Sprintf("load: %v\ndefault:\n  - say: noted\n", load)
	front := a.Spawn("frontend", script)
	back := b.Spawn("backend", script)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var acked sync.Map
	var senders sync.WaitGroup
	senders.Go(func() { send(t, a, job.ID, "backend", s.messages/2, &acked) })
	senders.Go(func() { send(t, b, job.ID, "frontend", s.messages/2, &acked) })
	kill(t, rand.New(rand.NewPCG(seed, 1)), []*harness.Node{a, b}, s.kills)
	senders.Wait()

	settle(t, a, b)
	sent := map[groove.MessageID]bool{}
	sentA, sentB := outboxIDs(t, a), outboxIDs(t, b)
	checkHistory(t, "backend", back.Dir, b, sentA, load)
	checkHistory(t, "frontend", front.Dir, a, sentB, load)
	for _, id := range append(sentA, sentB...) {
		sent[id] = true
	}
	acked.Range(func(id, _ any) bool {
		if !sent[id.(groove.MessageID)] {
			t.Errorf("message %v was acknowledged to its sender and is gone", id)
		}
		return true
	})
	for _, n := range []*harness.Node{a, b} {
		if _, err := n.Client.VerifyAudit(context.Background()); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
	agree(t, a, sentA, b)
	agree(t, b, sentB, a)
	t.Logf("%d + %d messages, %d kills", len(sentA), len(sentB), s.kills)
}

// send sends n messages, each again until a daemon has acknowledged it.
func send(t *testing.T, n *harness.Node, job groove.JobID, to groove.AgentName, count int, acked *sync.Map) {
	for i := range count {
		text := fmt.Sprintf("message %d", i)
		deadline := time.Now().Add(harness.Patience)
		for {
			s, err := n.API().Send(context.Background(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
			if err == nil {
				acked.Store(s.ID, true)
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: %s was not taken: %v", n.Name, text, err)
				return
			}
			pause(5 * time.Millisecond) // the daemon is being started again
		}
	}
}

func pause(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// kill ends a daemon, or both, at random moments, and starts it again.
func kill(t *testing.T, r *rand.Rand, nodes []*harness.Node, times int) {
	for range times {
		pause(time.Duration(r.IntN(300)) * time.Millisecond)
		victims := nodes
		if which := r.IntN(3); which < 2 {
			victims = nodes[which : which+1]
		}
		for _, n := range victims {
			n.Kill()
		}
		for _, n := range victims {
			n.Start()
		}
	}
}

// settle waits until every outbox is empty, and then every inbox: while one side still
// has something to send, the other's inbox may be empty and fill again.
func settle(t *testing.T, nodes ...*harness.Node) {
	t.Helper()
	for _, query := range []string{
		"SELECT count(*) FROM outbox WHERE state IN ('queued', 'held')",
		"SELECT count(*) FROM inbox WHERE state IN ('stored', 'delivering', 'delivered')",
	} {
		for _, n := range nodes {
			n.Until("nothing waits", func(ctx context.Context) (bool, error) {
				db := open(t, n)
				defer db.Close()
				var waiting int
				err := db.QueryRowContext(ctx, query).Scan(&waiting)
				return waiting == 0, err
			})
		}
	}
}

func open(t *testing.T, n *harness.Node) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(n.Home, "groove.db")+"?_pragma=query_only(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func ids(t *testing.T, n *harness.Node, query string) []groove.MessageID {
	t.Helper()
	db := open(t, n)
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []groove.MessageID
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		out = append(out, groove.MessageID(id))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func outboxIDs(t *testing.T, n *harness.Node) []groove.MessageID {
	return ids(t, n, "SELECT id FROM outbox WHERE type = 'message' ORDER BY pos")
}

var opening = regexp.MustCompile(`<groove-message mark="[0-9a-f]+" id="([0-9a-f-]{36})"`)

// checkHistory counts each id in the agent's session history, and its order.
func checkHistory(t *testing.T, agent, dir string, at *harness.Node, sent []groove.MessageID, load bool) {
	t.Helper()
	seen := map[string]int{}
	var order []string
	files, err := filepath.Glob(filepath.Join(dir, ".groove-scripted", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no history: %v", agent, err)
	}
	for _, f := range files {
		for _, prompt := range prompts(t, f) {
			for _, m := range opening.FindAllStringSubmatch(prompt, -1) {
				if seen[m[1]]++; seen[m[1]] == 1 {
					order = append(order, m[1])
				}
			}
		}
	}
	repeats := map[string]bool{}
	for _, id := range ids(t, at, "SELECT id FROM inbox WHERE may_repeat") {
		repeats[id.String()] = true
	}
	if load && len(repeats) > 0 {
		t.Errorf("%s: %d messages may repeat, although its session can be loaded", agent, len(repeats))
	}
	wrong := 0
	for i, id := range sent {
		if n := seen[id.String()]; n != 1 && !(n > 1 && repeats[id.String()]) {
			if wrong++; wrong <= 5 {
				t.Errorf("%s: message %s, the %dth of %d, stands %d times in the history; %s", agent, id, i, len(sent), n, row(t, at, id))
			}
		}
	}
	if wrong > 0 {
		a, err := at.Client.Agent(context.Background(), agent)
		t.Errorf("%s: %d messages are wrong; the agent is %+v %v\n%s", agent, wrong, a, err, at.Log())
	}
	if len(seen) != len(sent) {
		t.Errorf("%s: the history has %d messages, %d were sent", agent, len(seen), len(sent))
	}
	if load && len(files) == 1 {
		for i := range min(len(order), len(sent)) {
			if order[i] != sent[i].String() {
				t.Errorf("%s: message %d of the history is %s, the %dth sent is %s", agent, i, order[i], i, sent[i])
				break
			}
		}
	}
}

// row says what the inbox keeps of a message.
func row(t *testing.T, at *harness.Node, id groove.MessageID) string {
	t.Helper()
	db := open(t, at)
	defer db.Close()
	var pos int64
	var state string
	var turn sql.NullInt64
	if err := db.QueryRow("SELECT pos, state, turn FROM inbox WHERE id = ?", id[:]).Scan(&pos, &state, &turn); err != nil {
		return err.Error()
	}
	return fmt.Sprintf("inbox %d is %s in turn %d", pos, state, turn.Int64)
}

func prompts(t *testing.T, file string) (out []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l struct{ Role, Text string }
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("%s: %v in %s", file, err, strings.TrimSpace(lines.Text()))
		}
		if l.Role == "user" {
			out = append(out, l.Text)
		}
	}
	return out
}

// agree holds the two stores and the two records against each other.
func agree(t *testing.T, from *harness.Node, sent []groove.MessageID, to *harness.Node) {
	t.Helper()
	stored := ids(t, to, "SELECT id FROM inbox WHERE leg IS NOT NULL ORDER BY pos")
	if len(stored) != len(sent) {
		t.Errorf("%s sent %d messages, %s has %d", from.Name, len(sent), to.Name, len(stored))
	}
	for _, side := range []struct {
		node  *harness.Node
		event string
	}{{from, "send"}, {to, "receive"}} {
		have := recorded(t, side.node, side.event)
		for _, id := range sent {
			if have[id.String()] != 1 {
				t.Errorf("the record of %s has %s of %s %d times", side.node.Name, side.event, id, have[id.String()])
			}
		}
	}
}

func recorded(t *testing.T, n *harness.Node, event string) map[string]int {
	t.Helper()
	out := map[string]int{}
	after := int64(0)
	for {
		page, err := n.Client.Audit(context.Background(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range page.Entries {
			var e struct{ Event, ID string }
			if err := json.Unmarshal(raw, &e); err != nil {
				t.Fatal(err)
			}
			if e.Event == event {
				out[e.ID]++
			}
		}
		if len(page.Entries) == 0 {
			return out
		}
		after = int64(page.Next)
	}
}

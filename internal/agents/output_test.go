package agents_test

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/agents"
	"groove/internal/groove"
	"groove/internal/transcript"
)

// say is a turn that says each text as one update.
func say(texts ...string) turnFunc {
	return func(_ context.Context, s *session, _ string, written func()) (groove.TurnResult, error) {
		written()
		for _, text := range texts {
			s.l.Update(groove.Update{Kind: groove.UpdateAgentText, Raw: json.RawMessage(text)})
		}
		return groove.TurnResult{Stop: "end_turn"}, nil
	}
}

// readAll follows the output from offset until its text holds want.
func (w *world) readAll(name groove.AgentName, offset int64, want string) (string, int64) {
	w.t.Helper()
	var b strings.Builder
	for !strings.Contains(b.String(), want) {
		data, next, err := w.e.ReadOutput(w.t.Context(), name, offset, time.Minute)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(data) == 0 {
			w.t.Fatalf("%q never came after %q", want, b.String())
		}
		b.Write(data)
		offset = next
	}
	return b.String(), offset
}

// prompts are the prompts of an agent's transcript: the first message's ID and the text's first line.
func (w *world) prompts(name groove.AgentName) (out []string) {
	w.t.Helper()
	path, err := w.e.Output(name)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	err = transcript.Read(f, func(i *transcript.Item) error {
		if i.Kind == transcript.Prompt {
			first, _, _ := strings.Cut(i.Text, "\n")
			out = append(out, i.IDs[0]+" "+first)
		}
		return nil
	})
	if err != nil {
		w.t.Error(err)
	}
	return out
}

// TestOutput: one line an update with its time, the end of each turn, one offset
// over all sessions, and nothing twice after a load.
func TestOutput(t *testing.T) {
	p, dir := newProgram(), t.TempDir()
	p.turn = say(`{"n":1}`, "{\n\"n\": 2\r\n}", "not\nJSON", "")
	w := newWorld(t, dir, p, nil)
	w.spawn("a", "x")
	text, next := w.readAll("a", 0, `"stop":"end_turn"`)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 5 {
		t.Fatalf("%d lines: %q", len(lines), text)
	}
	for i, want := range []string{`"turn":1,"prompt":{"ids":["`, `"update":{"n":1}`, `"update":{"n":2}`, `"update":null`, `"turn":1,"stop":"end_turn"`} {
		var line struct{ At groove.Time }
		if err := json.Unmarshal([]byte(lines[i]), &line); err != nil || line.At.IsZero() || !strings.Contains(lines[i], want) {
			t.Errorf("line %q, want a time and %s: %v", lines[i], want, err)
		}
	}
	path, err := w.e.Output("a")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != next {
		t.Errorf("%v %v, want 0600 and %d bytes", info, err, next)
	}
	if data, again, err := w.e.ReadOutput(t.Context(), "a", next+100, 0); err != nil || len(data) != 0 || again != next {
		t.Errorf("behind the end: %q %d %v", data, again, err)
	}
	if _, _, err := w.e.ReadOutput(t.Context(), "a", -1, 0); groove.KindOf(err) != groove.KindRequestMalformed {
		t.Error(err)
	}
	if _, _, err := w.e.ReadOutput(t.Context(), "b", 0, 0); groove.KindOf(err) != groove.KindAgentUnknown {
		t.Error(err)
	}

	w.until("the turn is over", func() bool { return w.status("a") == groove.AgentIdle })
	w.close()
	p.turn = say(`{"n":3}`)
	w = newWorld(t, dir, p, nil) // the same session, loaded: its history is not said again
	w.put("b", "a", "y")
	text, next = w.readAll("a", next, `"turn":2,"stop"`)
	if strings.Count(text, "\n") != 3 || !strings.Contains(text, `"update":{"n":3}`) {
		t.Errorf("after a load: %q", text)
	}
	w.until("the turn is over", func() bool { return w.status("a") == groove.AgentIdle })
	w.close()
	p.noLoad = true
	w = newWorld(t, dir, p, nil) // another session, another file, the same offsets
	w.put("b", "a", "z")
	if text, _ = w.readAll("a", next, `"turn":3,"stop"`); strings.Count(text, "\n") != 3 {
		t.Errorf("in another session: %q", text)
	}
	if other, err := w.e.Output("a"); err != nil || other == path {
		t.Errorf("%s %v", other, err)
	}
	if text, _ = w.readAll("a", 0, `"turn":3,"stop"`); strings.Count(text, "\n") != 11 {
		t.Errorf("from the beginning: %q", text)
	}
}

// TestOutputIsBounded: a flood ends in one line that says so, the turn's end is still told.
func TestOutputIsBounded(t *testing.T) {
	const most = 100_000
	p := newProgram()
	big := `"` + strings.Repeat("x", 30_000) + `"`
	p.turn = say(big, big, big, big, big, big, big)
	w := newWorld(t, t.TempDir(), p, func(o *agents.Options) { o.OutputMax = most })
	w.spawn("a", "x")
	text, next := w.readAll("a", 0, `"turn":1,"stop"`)
	if next > most+1000 || strings.Count(text, `"dropped"`) != 1 {
		t.Errorf("%d bytes, said %d times", next, strings.Count(text, `"dropped"`))
	}
}

// TestOutputIsLive: what is said in a turn that goes on is there after 100 ms, and
// a reader that waits is woken by it; one that waits in vain returns empty.
func TestOutputIsLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, g := newProgram(), newGate()
		p.turn = func(ctx context.Context, s *session, text string, written func()) (groove.TurnResult, error) {
			s.say("hello")
			return g.turn(ctx, s, text, written)
		}
		w := newWorld(t, t.TempDir(), p, nil)
		w.spawn("a", "x")
		<-g.begun
		begin := time.Now()
		_, asked, err := w.e.ReadOutput(t.Context(), "a", 0, time.Minute)
		if err != nil || time.Since(begin) > 0 {
			t.Errorf("the prompt is there after %s: %v", time.Since(begin), err)
		}
		data, next, err := w.e.ReadOutput(t.Context(), "a", asked, time.Minute)
		if err != nil || len(data) == 0 || time.Since(begin) > 100*time.Millisecond {
			t.Errorf("%q %v after %s", data, err, time.Since(begin))
		}
		begin = time.Now()
		if data, _, err = w.e.ReadOutput(t.Context(), "a", next, time.Second); err != nil || len(data) != 0 || time.Since(begin) != time.Second {
			t.Errorf("%q %v after %s", data, err, time.Since(begin))
		}
		w.close()
	})
}

// TestEndedAgentsAreSmall: an agent that has ended is known for as long as the daemon runs, and so is
// one that waits: neither holds what it wrote last.
func TestEndedAgentsAreSmall(t *testing.T) {
	const many, most = 40, 16 << 10
	p := newProgram()
	p.turn = say(`"` + strings.Repeat("x", 60_000) + `"`)
	w := newWorld(t, t.TempDir(), p, nil)
	name := func(i int) groove.AgentName { return groove.AgentName("a" + strconv.Itoa(i)) }
	held := func() uint64 {
		runtime.GC()
		runtime.GC() // what a finalizer held
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	grown := func(before uint64) int64 { return (int64(held()) - int64(before)) / many }
	w.spawn("first", "x")
	w.until("the first turn is over", func() bool { return w.status("first") == groove.AgentIdle })
	before := held()
	for i := range many {
		w.spawn(name(i), "x")
	}
	w.until("all turns are over", func() bool {
		all, err := w.e.List(t.Context())
		return err == nil && !slices.ContainsFunc(all, func(a groove.Agent) bool { return a.Status != groove.AgentIdle || a.Turns == 0 })
	})
	n := grown(before)
	t.Logf("%d bytes for each that waits", n)
	if n > most {
		t.Errorf("an agent that waits holds %d bytes", n)
	}
	for i := range many {
		if err := w.e.Kill(t.Context(), name(i)); err != nil {
			t.Fatal(err)
		}
	}
	n = grown(before)
	t.Logf("%d bytes for each that has ended", n)
	if n > most {
		t.Errorf("an agent that has ended holds %d bytes", n)
	}
}

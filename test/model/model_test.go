package model

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) {
	// Each sequence runs real processes: a handful in every run of the tests, more by
	// -rapid.checks or in the soak.
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.steps": "12", "rapid.shrinktime": "0s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	harness.Main(m)
}

const quiet = `
default:
  - say: "noted"
`

// side is one daemon with what the model knows of it.
type side struct {
	*harness.Node
	link  *link // over which the other side reaches this one
	agent groove.AgentName
	other *side
	sent  []groove.MessageID // in order; the text of each is its number
	wall  time.Duration
	mono  time.Duration
}

// world is two daemons, the faulty link, and the job between them.
type world struct {
	t    *testing.T
	a, b *side
	job  groove.JobID
	over bool // one side has unpaired: what waits, waits for good
	log  []string
}

func (w *world) sides() []*side { return []*side{w.a, w.b} }

func (w *world) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func newWorld(t *testing.T) *world {
	w := &world{t: t}
	make := func(name, ip, door string, agent groove.AgentName, from string) *side {
		n := harness.New(t, name, ip)
		n.Exe = harness.ClockBinary(t)
		n.Flags["rate"] = "off"
		l, err := newLink(net.JoinHostPort(door, "0"), n.Flags["bridge.listen"], from)
		if err != nil {
			t.Fatal(err)
		}
		n.Flags["bridge.advertise"] = l.addr()
		n.SetClock(0, 0)
		return &side{Node: n.Start(), link: l, agent: agent}
	}
	// Each side knows the other by its door; the doors dial from the other's door, or before
	// they know each other from the other's own address.
	w.a = make("laptop", "127.0.0.1", "127.0.0.11", "frontend", "127.0.0.2")
	w.b = make("vps", "127.0.0.2", "127.0.0.12", "backend", "127.0.0.11")
	w.a.other, w.b.other = w.b, w.a
	t.Cleanup(w.a.link.close)
	t.Cleanup(w.b.link.close)
	harness.Pair(t, w.a.Node, w.b.Node)
	for _, s := range w.sides() {
		s.Spawn(string(s.agent), quiet)
	}
	w.job = w.a.Open(w.b.Node, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"}).ID
	return w
}

// TestModel: whatever is sent, crashed, cut, set, closed, opened anew and unpaired, in any
// order: once the link is sound and both daemons run, each message that was accepted has arrived exactly
// once and in order, or its sender is shown why not.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t)
		defer func() {
			for _, s := range w.sides() {
				s.Kill()
				s.link.close()
			}
		}()
		r.Repeat(w.actions())
		w.settle()
		w.check()
	})
}

func (w *world) actions() map[string]func(*rapid.T) {
	pick := func(r *rapid.T) *side { return rapid.SampledFrom(w.sides()).Draw(r, "side") }
	send := func(r *rapid.T) {
		s := pick(r)
		for range rapid.IntRange(1, 5).Draw(r, "count") {
			w.send(s)
		}
	}
	return map[string]func(*rapid.T){
		"send": send, "send more": send, "send again": send, // most of what happens
		"crash": func(r *rapid.T) {
			s := pick(r)
			w.note("%s is killed", s.Name)
			s.Kill()
			s.Start()
		},
		"restart": func(r *rapid.T) {
			s := pick(r)
			w.note("%s is restarted", s.Name)
			s.Stop()
			s.Start()
		},
		"fault": func(r *rapid.T) {
			f := rapid.SampledFrom([]fault{cut, stall, drip}).Draw(r, "fault")
			s := pick(r)
			w.note("the way to %s: fault %d", s.Name, f)
			s.link.set(f)
		},
		"partition": func(*rapid.T) {
			w.note("partition")
			w.a.link.set(stall)
			w.b.link.set(stall)
		},
		"heal": func(*rapid.T) {
			w.note("heal")
			w.a.link.set(none)
			w.b.link.set(none)
		},
		"clock": func(r *rapid.T) {
			s := pick(r)
			s.wall = rapid.SampledFrom([]time.Duration{-time.Hour, -time.Minute, 0, time.Minute, time.Hour}).Draw(r, "wall")
			w.note("the clock of %s is %s off", s.Name, s.wall)
			s.SetClock(s.wall, s.mono)
		},
		"time passes": func(r *rapid.T) {
			d := rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Minute}).Draw(r, "time")
			w.note("%s pass", d)
			for _, s := range w.sides() {
				s.mono += d
				s.SetClock(s.wall, s.mono)
			}
		},
		"pause": func(r *rapid.T) {
			s := pick(r)
			_, err := s.Client.PauseJob(context.Background(), api.JobRequest{Job: w.job})
			w.note("%s pauses: %v", s.Name, err)
		},
		"resume": func(r *rapid.T) {
			s := pick(r)
			_, err := s.Client.ResumeJob(context.Background(), api.JobRequest{Job: w.job})
			w.note("%s resumes: %v", s.Name, err)
		},
		"close": func(r *rapid.T) {
			if rapid.IntRange(0, 2).Draw(r, "really") > 0 { // while it is closed nothing is sent
				return
			}
			s := pick(r)
			_, err := s.Client.CloseJob(context.Background(), api.JobRequest{Job: w.job})
			w.note("%s closes: %v", s.Name, err)
		},
		"reopen": func(*rapid.T) { w.reopen() }, "reopen too": func(*rapid.T) { w.reopen() },
		"unpair": func(r *rapid.T) {
			if !rapid.Bool().Draw(r, "really") { // it costs the rest of the sequence
				return
			}
			s := pick(r)
			_, err := s.Client.Unpair(context.Background(), s.other.Name)
			w.note("%s unpairs: %v", s.Name, err)
			w.over = w.over || err == nil
		},
	}
}

// send posts the side's next number. A refusal is told to the sender at once, and is no message.
func (w *world) send(s *side) {
	text := strconv.Itoa(len(s.sent) + 1)
	m, err := s.Client.Send(context.Background(), api.MessageRequest{Job: w.job, To: api.MessageTo{Agent: s.other.agent}, Payload: groove.Message{Text: text}})
	if err != nil {
		w.note("%s sends %s: refused, %s", s.Name, text, groove.KindOf(err))
		return
	}
	w.note("%s sends %s", s.Name, text)
	s.sent = append(s.sent, m.ID)
}

func (w *world) reopen() {
	j, err := w.a.Client.ReopenJob(context.Background(), w.job)
	w.note("laptop opens the job anew: %v", err)
	if err == nil {
		w.job = j.ID
	}
}

// settle makes everything sound again, and looks until nothing is on its way.
func (w *world) settle() {
	w.note("settle")
	for _, s := range w.sides() {
		s.link.set(cut) // what stalled is lost for good
		s.link.set(none)
		s.mono += 2 * time.Minute
		s.wall = 0
		s.SetClock(0, s.mono)
	}
	for _, s := range w.sides() {
		// Whoever is paused here goes on; a job that is not paused says so.
		if _, err := s.Client.ResumeJob(context.Background(), api.JobRequest{Job: w.job}); err != nil {
			w.note("%s: resume: %s", s.Name, groove.KindOf(err))
		}
	}
	w.reopen()
	for _, s := range w.sides() {
		for i, id := range s.sent {
			w.until(s, fmt.Sprintf("message %d of %s", i+1, s.Name), func(ctx context.Context) (bool, error) {
				m, err := w.mail(ctx, s, id)
				return err == nil && (m.State != "queued" && m.State != "sent" || w.mayWait(m)), err
			})
		}
	}
}

// mayWait says whether a message may wait for good: the job has ended and nobody can open
// it anew, or the peer is not paired any more. Its sender is told so.
func (w *world) mayWait(m groove.Mail) bool {
	return strings.Contains(m.Note, "has ended") || w.over && m.Note != ""
}

func (w *world) mail(ctx context.Context, s *side, id groove.MessageID) (groove.Mail, error) {
	page, err := s.Client.Messages(ctx, api.MessageFilter{ID: id, Limit: 1}, 0)
	if err != nil || len(page.Messages) != 1 {
		return groove.Mail{}, fmt.Errorf("message %s is gone: %w", id, err)
	}
	return page.Messages[0], nil
}

// until is harness's, which tells what was done when it fails.
func (w *world) until(s *side, what string, ok func(context.Context) (bool, error)) {
	w.t.Helper()
	defer func() {
		if w.t.Failed() {
			w.t.Log(w.story())
		}
	}()
	s.Until(what, ok)
}

func (w *world) story() string {
	var out strings.Builder
	fmt.Fprintf(&out, "laptop is %s, vps is %s\n", w.a.Info.ID.Short(), w.b.Info.ID.Short())
	for _, line := range w.log {
		fmt.Fprintln(&out, line)
	}
	for _, s := range w.sides() {
		jobs, err := s.Client.Jobs(context.Background())
		fmt.Fprintf(&out, "%s has %+v %v\n", s.Name, jobs, err)
	}
	return out.String()
}

// check compares what arrived with what was sent.
func (w *world) check() {
	for _, s := range w.sides() {
		inbox, err := s.other.Client.Inbox(context.Background(), string(s.other.agent), 1000)
		if err != nil {
			w.t.Fatal(err)
		}
		arrived := map[groove.MessageID]int{}
		last := 0
		for _, m := range inbox {
			arrived[m.ID]++
			n, err := strconv.Atoi(m.Text)
			if err != nil || n < 1 || n > len(s.sent) || s.sent[n-1] != m.ID {
				w.fail("%s has %q, which %s never sent", s.other.Name, m.Text, s.Name)
			}
			if n <= last {
				w.fail("%s has message %d of %s after %d", s.other.Name, n, s.Name, last)
			}
			last = n
		}
		for i, id := range s.sent {
			m, err := w.mail(context.Background(), s, id)
			if err != nil {
				w.fail("%v", err)
			}
			w.judge(s, i+1, m, arrived[id])
		}
		if _, err := s.Client.VerifyAudit(context.Background()); err != nil {
			w.fail("the record of %s: %v", s.Name, err)
		}
	}
}

// judge says whether a message's end, as its sender sees it, fits to how often it arrived.
func (w *world) judge(s *side, n int, m groove.Mail, times int) {
	switch m.State {
	case "stored", "delivered", "started", "answered":
		if times != 1 {
			w.fail("message %d of %s is %s and arrived %d times", n, s.Name, m.State, times)
		}
	case "refused", "expired", "cancelled": // its receipt may have been lost on the way
		if times > 1 {
			w.fail("message %d of %s is %s and arrived %d times", n, s.Name, m.State, times)
		}
	case "queued":
		if !w.mayWait(m) || times > 1 {
			w.fail("message %d of %s waits without a reason, or arrived %d times: %+v", n, s.Name, times, m)
		}
	default:
		w.fail("message %d of %s is %q", n, s.Name, m.State)
	}
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Log(w.story())
	for _, s := range w.sides() {
		if os.Getenv("GROOVE_MODEL_LOGS") != "" {
			w.t.Log(s.Log())
		}
	}
	w.t.Fatalf(format, args...)
}

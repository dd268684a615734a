package hall

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/identity"
	"groove/test/harness"
)

func send(t *testing.T, n *harness.Node, job groove.JobID, to groove.AgentName, text string) groove.Sent {
	t.Helper()
	s, err := n.Client.Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rated(n int64) func(*api.OpenRequest) { return func(r *api.OpenRequest) { r.Rate = &n } }

// peerFile is where a node keeps a peer.
func peerFile(n *harness.Node, peer groove.DaemonID) string {
	return filepath.Join(n.Home, "federation", "peers", string(peer)+".json")
}

// policy changes what a stopped node lets a peer do.
func policy(t *testing.T, n *harness.Node, peer groove.DaemonID, edit func(*groove.Policy)) {
	t.Helper()
	raw, err := os.ReadFile(peerFile(n, peer))
	if err != nil {
		t.Fatal(err)
	}
	var p groove.Peer
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	edit(&p.Policy)
	if raw, err = json.Marshal(p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(peerFile(n, peer), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// asked waits for the open questions of a kind, oldest first.
func asked(t *testing.T, n *harness.Node, kind string, count int) []api.Approval {
	t.Helper()
	var found []api.Approval
	n.Until(kind, func(ctx context.Context) (bool, error) {
		all, err := n.Client.Approvals(ctx, false)
		found = found[:0]
		for _, a := range all {
			if a.Kind == kind {
				found = append(found, a)
			}
		}
		return len(found) == count, err
	})
	return found
}

func decide(t *testing.T, n *harness.Node, a api.Approval, answer string) {
	t.Helper()
	if _, err := n.Client.Answer(t.Context(), a.ID, api.AnswerRequest{Answer: answer}); err != nil {
		t.Fatal(err)
	}
}

// TestAskedJobs: a peer that is not the user's own opens jobs only with the user's yes.
func TestAskedJobs(t *testing.T) {
	victim := harness.New(t, "victim", "127.0.0.1")
	victim.Flags["rate"] = "off"
	victim.Start()
	victim.Spawn("backend", quiet)
	r := newRogue(t, victim, "rogue", "127.0.0.2", false)

	w := r.connect(t, r.newJob(backend))
	w.update(groove.JobPending)
	question := asked(t, victim, "job.proposed", 1)[0]
	early := w.message("backend", "before the yes")
	w.send(early)
	if got := w.of(early); got.Kind != groove.KindJobPaused {
		t.Errorf("before the yes: %+v, want %s", got, groove.KindJobPaused)
	}
	w.send(w.env(groove.TypeJobUpdate, groove.JobUpdate{Action: groove.JobAccept, OpenedAt: ptr(groove.At(time.Now()))}))
	w.send(early.again())
	if got := w.of(early); got.Kind != groove.KindJobPaused {
		t.Errorf("the opener accepted its own job: %+v", got)
	}
	decide(t, victim, question, "approve")
	w.update(groove.JobAccept)
	w.stored(early.again())
	w.part(groove.ByeManual)

	no := r.newJob(backend)
	w = r.connect(t, no)
	w.update(groove.JobPending)
	decide(t, victim, asked(t, victim, "job.proposed", 1)[0], "reject")
	if u := w.update(groove.JobDeny); u.Kind != groove.KindDenied {
		t.Errorf("%+v, want %s", u, groove.KindDenied)
	}
	late := w.message("backend", "all the same")
	w.send(late)
	if got := w.of(late); got.State != groove.ReceiptRefused {
		t.Errorf("after the no: %+v", got)
	}
	w.part(groove.ByeDenied)
	if j := victim.WaitJob(no.id, groove.LegClosed); j.Legs[0].Reason != "denied" {
		t.Errorf("the job is closed: %q", j.Legs[0].Reason)
	}

	// A proposal that is taken back takes its question with it.
	gone := r.newJob(backend)
	w = r.connect(t, gone)
	w.update(groove.JobPending)
	asked(t, victim, "job.proposed", 1)
	w.part(groove.ByeManual)
	asked(t, victim, "job.proposed", 0)

	victim.Stop()
	policy(t, victim, r.self.ID, func(p *groove.Policy) { p.Open = groove.Deny })
	victim.Start()
	from := mark(t, victim)
	j := r.newJob(backend)
	w = r.dial(t)
	w.job = j.id
	w.send(w.env("hello", r.greeting(j)))
	w.refused(groove.KindDenied)
	refusedOnce(t, victim, from, groove.KindDenied, anyRefusal)
}

// TestHeldMessages: where the user is asked for each message, a yes delivers it at the
// end, a no refuses it, and neither holds the others.
func TestHeldMessages(t *testing.T) {
	victim, r := stage(t)
	victim.Stop()
	policy(t, victim, r.self.ID, func(p *groove.Policy) { p.Message = groove.Ask })
	victim.Start()
	w := r.open(t, r.newJob(backend))
	first, second, third := w.message("backend", "first"), w.message("backend", "second"), w.message("backend", "third")
	w.send(first, second, third)
	held := map[string]uint64{}
	for _, e := range []env{first, second, third} {
		got := w.of(e)
		if got.State != groove.ReceiptHeld {
			t.Fatalf("%+v, want held", got)
		}
		held[e.id] = got.N
	}
	questions := map[string]api.Approval{}
	for _, q := range asked(t, victim, "message.held", 3) {
		var detail struct{ Text string }
		if err := json.Unmarshal(q.Detail, &detail); err != nil {
			t.Fatal(err)
		}
		questions[detail.Text] = q
	}
	decide(t, victim, questions["third"], "approve")
	decide(t, victim, questions["second"], "reject")
	decide(t, victim, questions["first"], "approve")
	for _, e := range []env{third, first} {
		if got := w.of(e); got.State != groove.ReceiptStored || got.N <= held[e.id] {
			t.Errorf("%+v, want stored, after receipt %d", got, held[e.id])
		}
	}
	if got := w.of(second); got.Kind != groove.KindDenied || got.N <= held[second.id] {
		t.Errorf("%+v, want %s", got, groove.KindDenied)
	}
	mails, err := victim.Client.Inbox(t.Context(), "backend", 10)
	if err != nil {
		t.Fatal(err)
	}
	order := map[string]int64{}
	for _, m := range mails {
		order[m.Text] = m.Pos
	}
	if order["third"] == 0 || order["first"] <= order["third"] {
		t.Errorf("a released message takes its place at the end: %v", order)
	}
	w.send(second.again())
	if got := w.of(second); got.Kind != groove.KindDenied {
		t.Errorf("a copy of what the user refused: %+v", got)
	}

	if err := w.ws.CloseNow(); err != nil {
		t.Fatal(err)
	}
	victim.Stop()
	policy(t, victim, r.self.ID, func(p *groove.Policy) { p.Message = groove.Deny })
	victim.Start()
	w = r.connect(t, job{w.job, nil}, func(h *groove.Hello) { h.ContractHash = w.theirs.ContractHash })
	from := mark(t, victim)
	denied := w.message("backend", "fourth")
	w.send(denied)
	if got := w.of(denied); got.Kind != groove.KindDenied {
		t.Errorf("%+v, want %s", got, groove.KindDenied)
	}
	refusedOnce(t, victim, from, groove.KindDenied, anyRefusal)
}

// TestClonedPeer: while one instance of a key lives, another is refused.
func TestClonedPeer(t *testing.T) {
	victim, r := stage(t)
	j := r.newJob(backend)
	first := r.open(t, j)
	answers := make(chan error, 1)
	go func() { // the first one is alive: it echoes the heartbeat
		for {
			if err := first.read(); err != nil {
				answers <- err
				return
			}
		}
	}()
	from := mark(t, victim)
	second := r.dial(t)
	second.job = j.id
	second.send(second.env("hello", r.greeting(j, func(h *groove.Hello) { h.Instance = identity.NewInstance() })))
	second.refused(groove.KindCloned)
	refusedOnce(t, victim, from, groove.KindCloned, anyRefusal)

	// The same instance takes the place of its own older connection.
	third := r.connect(t, j)
	<-answers
	if first.bye == nil || first.bye.Reason != groove.ByeReplaced {
		t.Errorf("the older connection was told %+v", first.bye)
	}
	third.stored(third.message("backend", "from the newer connection"))
}

// TestGoodbyes: each reason leaves the leg as docs/protocol.md §8 says.
func TestGoodbyes(t *testing.T) {
	victim, r := stage(t)
	for reason, want := range map[groove.CloseReason]groove.LegState{
		groove.ByeJobComplete: groove.LegClosed, groove.ByeTTL: groove.LegClosed, groove.ByeManual: groove.LegClosed,
		groove.ByeUnpaired: groove.LegClosed, groove.ByeDenied: groove.LegClosed, groove.ByeIdle: groove.LegResting,
		groove.ByeShutdown: groove.LegResting, groove.ByeRotated: groove.LegResting, groove.ByeReplaced: groove.LegResting,
		groove.ByeProtocolError: groove.LegDialing,
	} {
		t.Run(string(reason), func(t *testing.T) {
			j := r.newJob(backend)
			w := r.open(t, j)
			e := w.message("backend", "one more")
			w.parted = true
			w.send(e, w.env(groove.TypeGoodbye, groove.Goodbye{Reason: reason}))
			w.closed()
			if w.bye == nil || w.bye.Reason != reason {
				t.Errorf("answered with %+v", w.bye)
			}
			if got := w.of(e); got.State != groove.ReceiptStored {
				t.Errorf("what came before goodbye: %+v", got)
			}
			leg := victim.WaitJob(j.id, want).Legs[0]
			if want == groove.LegClosed {
				if leg.Reason != string(reason) {
					t.Errorf("closed for %q", leg.Reason)
				}
				return
			}
			r.connect(t, j).part(groove.ByeManual)
		})
	}
	// The victim's own goodbye.
	j := r.newJob(backend)
	w := r.open(t, j)
	done := make(chan error, 1)
	go func() {
		_, err := victim.Client.CloseJob(t.Context(), api.JobRequest{Job: j.id})
		done <- err
	}()
	w.closed()
	if err := <-done; err != nil || w.bye == nil || w.bye.Reason != groove.ByeManual {
		t.Errorf("%v, %+v", err, w.bye)
	}
}

// TestTheOtherSideLearnsOfTheEnd: a daemon that was down when the opener closed a job, and
// has nothing to send in it, asks after it and closes it too.
func TestTheOtherSideLearnsOfTheEnd(t *testing.T) {
	a, b := paired(t)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", quiet)
	job := a.Open(b, []groove.AgentName{"frontend"}, backend)
	a.WaitMessage(send(t, a, job.ID, "backend", "hi").ID, "started")
	b.Until("every receipt of the opener", func(ctx context.Context) (bool, error) {
		flush(t, b)
		jobs, err := b.Client.Jobs(ctx)
		return err == nil && jobs[0].Legs[0].Waiting == 0, err
	})
	b.Kill()
	if _, err := a.Client.CloseJob(t.Context(), api.JobRequest{Job: job.ID}); err != nil {
		t.Fatal(err)
	}
	b.Start()
	b.WaitJob(job.ID, groove.LegClosed)
}

func ptr[T any](v T) *T { return &v }

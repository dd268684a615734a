package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// TestTwoUsersOpenTheSameJobAtOnce: one job comes of it, the one of the higher ID, nobody
// is asked, and what both had said before arrives.
func TestTwoUsersOpenTheSameJobAtOnce(t *testing.T) {
	t.Parallel()
	a, b := pair(t, false, "off")
	open := func(n *harness.Node, peer string, own, theirs []groove.AgentName) api.Job {
		t.Helper()
		zero := int64(0)
		j, err := n.Client.OpenJob(t.Context(), api.OpenRequest{Peer: peer, Title: "by " + n.Name, Goal: "g", Agents: own, PeerAgents: theirs, Rate: &zero})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	b.Stop()
	fromA := open(a, "vps", front, back)
	sentA := post(t, a, fromA.ID, "backend", "from the laptop")
	a.Stop()
	b.Start()
	fromB := open(b, "laptop", back, front)
	sentB := post(t, b, fromB.ID, "frontend", "from the server")
	a.Start()

	stands, falls, winner, loser := fromA, fromB, a, b
	if b.Info.ID > a.Info.ID {
		stands, falls, winner, loser = fromB, fromA, b, a
	}
	for _, n := range []*harness.Node{a, b} {
		waitLeg(t, n, stands.ID, groove.LegOpen, "")
	}
	waitLeg(t, loser, falls.ID, groove.LegClosed, "replaced")
	a.WaitMessage(sentA.ID, "started", "answered")
	b.WaitMessage(sentB.ID, "started", "answered")
	if jobs, err := winner.Client.Jobs(t.Context()); err != nil || len(jobs) != 1 {
		t.Errorf("the one whose job stands has %d jobs: %v", len(jobs), err)
	}
	for _, n := range []*harness.Node{a, b} {
		if list, err := n.Client.Approvals(t.Context(), true); err != nil || len(list) != 0 {
			t.Errorf("%s was asked: %+v %v", n.Name, list, err)
		}
	}
}

// TestOtherAgentsAreAnotherJob: proposals that are not of the same agents stand both.
func TestOtherAgentsAreAnotherJob(t *testing.T) {
	t.Parallel()
	a, b := pair(t, false, "off")
	b.Spawn("second", quiet)
	one, err := a.Client.OpenJob(t.Context(), api.OpenRequest{Peer: "vps", Title: "t", Goal: "g", Agents: front, PeerAgents: back})
	if err != nil {
		t.Fatal(err)
	}
	asked(t, b, "job.proposed")
	two, err := b.Client.OpenJob(t.Context(), api.OpenRequest{Peer: "laptop", Title: "t", Goal: "g", Agents: []groove.AgentName{"second"}, PeerAgents: front})
	if err != nil {
		t.Fatal(err)
	}
	answer(t, b, asked(t, b, "job.proposed"), "approve")
	answer(t, a, asked(t, a, "job.proposed"), "approve")
	a.WaitJob(one.ID, groove.LegOpen)
	b.WaitJob(two.ID, groove.LegOpen)
}

// TestOneJobWithSeveralPeers: its legs go their own ways.
func TestOneJobWithSeveralPeers(t *testing.T) {
	t.Parallel()
	hub := harness.New(t, "hub", "127.0.0.1")
	hub.Flags["rate"] = "off"
	hub.Start()
	hub.Spawn("lead", quiet)
	var peers []*harness.Node
	request := api.OpenRequest{Title: "three at once", Goal: "g", Agents: []groove.AgentName{"lead"}, Rate: new(int64)}
	for i := range 3 {
		n := harness.New(t, fmt.Sprintf("peer%d", i+1), fmt.Sprintf("127.0.0.%d", i+2))
		n.Flags["rate"] = "off"
		peers = append(peers, n.Start())
		harness.Pair(t, hub, n)
		n.Spawn("worker", quiet)
		request.Peers = append(request.Peers, api.JobPeer{Peer: n.Name, Agents: []groove.AgentName{"worker"}})
	}
	job, err := hub.Client.OpenJob(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	state := func(want ...groove.LegState) {
		t.Helper()
		hub.Until(fmt.Sprint(want), func(ctx context.Context) (bool, error) {
			jobs, err := hub.Client.Jobs(ctx)
			if err != nil {
				return false, err
			}
			for i, l := range jobs[0].Legs {
				if l.State != want[i] {
					return false, nil
				}
			}
			return true, nil
		})
	}
	open, paused, closed := groove.LegOpen, groove.LegPaused, groove.LegClosed
	state(open, open, open)
	say := func(to string) (groove.Sent, error) {
		return hub.Client.Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "worker", Peer: to}, Payload: groove.Message{Text: "to " + to}})
	}
	if _, err := say(""); groove.KindOf(err) != groove.KindAmbiguous {
		t.Errorf("a message to one of three workers: %v, want %s", err, groove.KindAmbiguous)
	}
	if _, err := hub.Client.PauseJob(t.Context(), api.JobRequest{Job: job.ID, Peer: "peer1"}); err != nil {
		t.Fatal(err)
	}
	state(paused, open, open)
	if _, err := peers[1].Client.CloseJob(t.Context(), of(job.ID)); err != nil {
		t.Fatal(err)
	}
	state(paused, closed, open)
	peers[0].Kill()
	sent, err := say("peer3")
	if err != nil {
		t.Fatal(err)
	}
	hub.WaitMessage(sent.ID, "started", "answered")
	if mails, err := peers[2].Client.Inbox(t.Context(), "worker", 10); err != nil || len(mails) != 1 || mails[0].Text != "to peer3" {
		t.Errorf("peer3 has %+v %v", mails, err)
	}
	peers[0].Start()
	state(paused, closed, open)
	jobs, err := hub.Client.Jobs(t.Context())
	if err != nil || jobs[0].State != string(open) {
		t.Errorf("the job is %s while a leg is open: %v", jobs[0].State, err)
	}
	if _, err := hub.Client.CloseJob(t.Context(), of(job.ID)); err != nil {
		t.Fatal(err)
	}
	state(closed, closed, closed)
	again, err := hub.Client.ReopenJob(t.Context(), job.ID)
	if err != nil || len(again.Legs) != 3 {
		t.Fatalf("reopened with %d legs: %v", len(again.Legs), err)
	}
}

func TestJobsThatCannotBeOpenedSayWhy(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	b.Kill()
	peer := func(name string) api.JobPeer { return api.JobPeer{Peer: name, Agents: back} }
	for _, row := range []struct {
		why   string
		peers []api.JobPeer
		one   string
		kind  groove.Kind
		text  string
	}{
		{"no peer", nil, "", groove.KindInvalid, "no peer"},
		{"both ways of naming peers", []api.JobPeer{peer("vps")}, "vps", groove.KindInvalid, "both"},
		{"a peer twice", []api.JobPeer{peer("vps"), peer("vps")}, "", groove.KindConflict, "twice"},
		{"an unknown peer", []api.JobPeer{peer("vps"), peer("nobody")}, "", groove.KindPeerUnknown, "nobody"},
	} {
		_, err := a.Client.OpenJob(t.Context(), api.OpenRequest{Peer: row.one, PeerAgents: back, Peers: row.peers, Title: "t", Goal: "g", Agents: front})
		if groove.KindOf(err) != row.kind || !strings.Contains(err.Error(), row.text) {
			t.Errorf("%s: %v, want %s", row.why, err, row.kind)
		}
	}
	if jobs, err := a.Client.Jobs(t.Context()); err != nil || len(jobs) != 0 {
		t.Errorf("refused openings left %d jobs: %v", len(jobs), err)
	}
}

// TestAnAnswerGoesBackTheWayItCame: also where two jobs link the same agents.
func TestAnAnswerGoesBackTheWayItCame(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	b.Spawn("echo", `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "echo {{.Text}}", reply_to: "{{.ID}}"}}
`)
	echo := []groove.AgentName{"echo"}
	for _, job := range []groove.JobID{a.Open(b, front, echo).ID, a.Open(b, front, echo).ID} {
		a.WaitMessage(post(t, a, job, "echo", "hello").ID, "answered")
	}
	mails, err := a.Client.Messages(t.Context(), api.MessageFilter{Limit: 10}, 0)
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[groove.JobID]int{}
	for _, m := range mails.Messages {
		if m.Direction == "in" {
			jobs[m.Job]++
		}
	}
	if len(jobs) != 2 {
		t.Errorf("the answers came in these jobs: %v", jobs)
	}
}

//go:build linux

// Package network runs real daemons on hosts of their own and breaks the network
// between them, and their clocks.
package network

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
	"groove/test/netlab"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && strings.HasPrefix(os.Args[1], "-test.") {
		flag.Parse()
		// These tests wait for timers far more than they compute.
		if err := flag.Set("test.parallel", "16"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	harness.Main(m)
}

const quiet = `
default:
  - say: "noted"
`

// echo answers each message with its own text.
const echo = `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "{{.Text}}", reply_to: "{{.ID}}"}}
`

// daemon is the real binary on a host, started.
func daemon(t *testing.T, l *netlab.Lab, host int, name string, edit ...func(*harness.Node)) *harness.Node {
	t.Helper()
	harness.Sources(t, "cmd/groove", "internal/clock")
	n := harness.NewIn(t, name, l.Host(host))
	n.Exe = harness.ClockBinary(t)
	n.Flags["rate"] = "off"
	n.SetClock(0, 0)
	for _, e := range edit {
		e(n)
	}
	return n.Start()
}

// anywhere lets a daemon listen at, and dial from, whatever addresses its host has.
func anywhere(n *harness.Node) {
	n.Flags["bridge.listen"] = "0.0.0.0:" + harness.Port
	n.Flags["bridge.advertise"] = n.IP + ":" + harness.Port
}

// pair pairs a and b.
func pair(t *testing.T, a, b *harness.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	inv, err := a.Client.Invite(ctx, api.InviteRequest{For: []string{b.IP}, Mine: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Client.Pair(ctx, api.PairRequest{Invite: inv.Line, Mine: true}); err != nil {
		t.Fatalf("pair: %v\n%s", err, b.Log())
	}
}

// talk is a job between two daemons whose users write to the other side's agent.
type talk struct {
	t           *testing.T
	job         api.Job
	a, b        *harness.Node
	front, back groove.AgentName      // of a, of b
	sent        map[*harness.Node]int // by the user of each
	last        map[*harness.Node]groove.MessageID
}

var conversations atomic.Int64

// converse opens a job: a's agent is quiet, b's answers each message.
func converse(t *testing.T, a, b *harness.Node, edit ...func(*api.OpenRequest)) *talk {
	t.Helper()
	n := conversations.Add(1)
	front, back := groove.AgentName(fmt.Sprintf("front-%d", n)), groove.AgentName(fmt.Sprintf("back-%d", n))
	a.Spawn(string(front), quiet)
	b.Spawn(string(back), echo)
	job := a.Open(b, []groove.AgentName{front}, []groove.AgentName{back}, edit...)
	b.WaitJob(job.ID, groove.LegOpen)
	k := &talk{t: t, job: job, a: a, b: b, front: front, back: back, sent: map[*harness.Node]int{}, last: map[*harness.Node]groove.MessageID{}}
	t.Cleanup(k.explain)
	return k
}

// explain shows what both sides know of the job when the test has failed.
func (k *talk) explain() {
	if !k.t.Failed() {
		return
	}
	for _, n := range []*harness.Node{k.a, k.b} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		jobs, err := n.Client.Jobs(ctx)
		k.t.Logf("%s: job %s: %+v %v", n.Name, k.job.ID.Short(), jobs, err)
		page, err := n.Client.Messages(ctx, api.MessageFilter{Job: string(k.job.ID), Limit: 1000}, 0)
		cancel()
		for _, m := range page.Messages {
			k.t.Logf("%s: %s %s to %s %.20q %s %s %s", n.Name, m.Direction, m.From, m.To, m.Text, m.State, m.Kind, m.Note)
		}
		if err != nil {
			k.t.Logf("%s: %v", n.Name, err)
		}
		k.t.Logf("%s logged:\n%s", n.Name, n.Log())
	}
}

// say sends count numbered messages to each side.
func (k *talk) say(count int) {
	k.t.Helper()
	for range count {
		k.tell(k.a, k.b, 1, "")
		k.tell(k.b, k.a, 1, "")
	}
}

// tell sends numbered messages one way, each with more behind its number.
func (k *talk) tell(from, to *harness.Node, count int, more string) {
	k.t.Helper()
	agent := k.back
	if to == k.a {
		agent = k.front
	}
	for range count {
		k.sent[from]++
		s, err := from.Client.Send(k.t.Context(), api.MessageRequest{Job: k.job.ID, To: api.MessageTo{Agent: agent},
			Payload: groove.Message{Text: strconv.Itoa(k.sent[from]) + more}})
		if err != nil {
			k.t.Fatalf("%s to %s: %v", from.Name, to.Name, err)
		}
		k.last[from] = s.ID
	}
}

// arrived waits until all that was said and answered is there, and checks that each
// message stands once, in the order of its pair.
func (k *talk) arrived() {
	k.t.Helper()
	k.once(k.b, groove.User, k.back, k.sent[k.a])
	k.once(k.a, groove.User, k.front, k.sent[k.b])
	k.once(k.a, k.back, groove.User, k.sent[k.a])
	for n, id := range k.last {
		n.WaitMessage(id, "started", "answered")
	}
}

// once checks one pair at its receiver.
func (k *talk) once(at *harness.Node, from, to groove.AgentName, count int) {
	k.t.Helper()
	var got []string
	at.Until(fmt.Sprintf("%d messages from %s to %s", count, from, to), func(ctx context.Context) (bool, error) {
		got = got[:0]
		page, err := at.Client.Messages(ctx, api.MessageFilter{Job: string(k.job.ID), Limit: 1000}, 0)
		for _, m := range page.Messages {
			if m.Direction == "in" && m.From == from && m.To == to {
				number, _, _ := strings.Cut(m.Text, " ")
				got = append(got, number)
			}
		}
		return len(got) >= count, err
	})
	var want []string
	for n := range count {
		want = append(want, strconv.Itoa(n+1))
	}
	if !slices.Equal(got, want) {
		k.t.Errorf("%s: from %s to %s came %q, want 1 to %d", at.Name, from, to, got, count)
	}
}

// leg is the job's, as its user sees it.
func leg(n *harness.Node, job groove.JobID) api.Leg {
	n.T.Helper()
	jobs, err := n.Client.Jobs(n.T.Context())
	if err != nil {
		n.T.Fatal(err)
	}
	for _, j := range jobs {
		if j.ID == job {
			return j.Legs[0]
		}
	}
	n.T.Fatalf("%s does not know job %s", n.Name, job)
	return api.Leg{}
}

// noticed waits until a daemon knows that a connection is lost, or has come.
func noticed(n *harness.Node, job groove.JobID, connected bool) {
	n.T.Helper()
	n.Until(fmt.Sprintf("connected %v", connected), func(context.Context) (bool, error) {
		return leg(n, job).Connected == connected, nil
	})
}

func lasting(d time.Duration) func(*api.OpenRequest) {
	return func(r *api.OpenRequest) { s := int64(d / time.Second); r.TTL = s }
}

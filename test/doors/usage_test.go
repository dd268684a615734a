package doors

import (
	"context"
	"fmt"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// counted answers each message, and says what its turn took.
const counted = `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "echo {{.Text}}", reply_to: "{{.ID}}"}}
      - usage: {input: 1000, output: 50, cached_read: 4000, cost: 0.5, context_used: 30000}
`

// TestUsageOfABridge: what real turns took stands in the bucket of now, both sides count
// what crossed, each agent its own, and both know how long it took there and back.
func TestUsageOfABridge(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", quiet)
	b.Spawn("frontend", counted) // of the same name as the other side's
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"frontend"})
	for i := range 3 {
		if _, err := a.API().Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "frontend", Peer: "vps"}, Payload: groove.Message{Text: fmt.Sprint(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	leg := func(n *harness.Node) api.Leg {
		j, err := n.API().Job(t.Context(), string(job.ID))
		if err != nil {
			t.Fatal(err)
		}
		return j.Legs[0]
	}
	a.Until("three answers have come", func(context.Context) (bool, error) { return leg(a).Received == 3, nil })
	for n, want := range map[*harness.Node]struct{ user, frontend [2]int64 }{
		a: {user: [2]int64{3, 3}},
		b: {frontend: [2]int64{3, 3}},
	} {
		n.Until("all that crossed is counted", func(context.Context) (bool, error) { // the last receipt may be on its way
			got, l := map[groove.AgentName][2]int64{}, leg(n)
			for _, c := range l.Traffic {
				got[c.Agent] = [2]int64{c.Sent, c.Received}
			}
			return l.Sent == 3 && l.Received == 3 && l.Last != nil && l.Since != nil && got[groove.User] == want.user && got["frontend"] == want.frontend, nil
		})
		n.Until("a round trip was measured", func(ctx context.Context) (bool, error) {
			peers, err := n.API().Peers(ctx)
			if err != nil || len(peers) != 1 {
				return false, err
			}
			r, err := n.API().RoundTrips(ctx, peers[0].Name)
			return len(r.Samples) > 0 && r.Samples[0].MS > 0 && r.Connected && peers[0].Since != nil && peers[0].RTT > 0, err
		})
	}
	b.Until("the turns' ends are kept", func(ctx context.Context) (bool, error) {
		s, err := b.API().Series(ctx, api.SeriesRequest{Window: "1h", By: groove.ByJob})
		if err != nil || s.All.Took == nil || s.All.Took.Turns != s.All.Turns {
			return false, err
		}
		return *s.All.Tokens >= 5050 && len(s.Groups) == 1 && s.Groups[0].Key == string(job.ID) && len(s.All.Costs) == 1, nil
	})
	s, err := b.API().Status(t.Context())
	if err != nil || s.Takes.Store == 0 || s.Takes.Commits == 0 || s.Takes.CPUOver == 0 || s.Takes.Rows == 0 {
		t.Errorf("takes %+v %v", s.Takes, err)
	}
}

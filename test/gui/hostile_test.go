package gui

import (
	"context"
	"os"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// What a name may hold at worst: HTML, an emoji that is joined of several, marks that nobody sees, no
// place to break.
const (
	evilDaemon = `<img src=x onerror=document.title=1>` + "\u200b👩‍💻"
	evilTitle  = `<b onclick=x>Tit</b>` + "\u200b\u2060🦀👩‍👩‍👧‍👦"
)

// TestHostile has a peer whose every name and text is made to do harm, and the page show all of it as text.
func TestHostile(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1")
	a.Flags["name"] = `<s>lap</s>` + "\u200b🦀" + strings.Repeat("w", 40)
	a.Start()
	b := harness.New(t, "vps", "127.0.0.2")
	b.Flags["name"] = evilDaemon
	b.Start()
	harness.PairAs(t, a, b, true)
	peers, err := a.API().Peers(t.Context())
	if err != nil || len(peers) != 1 || peers[0].Name != evilDaemon {
		t.Fatalf("the peer is called otherwise: %+v, %v", peers, err)
	}
	long := groove.AgentName(strings.Repeat("w", 63))
	spawn(t, a, writer, api.SpawnRequest{Name: long, Title: evilTitle + strings.Repeat("W", 40), Team: strings.Repeat("t", 63), Role: "planner"})
	spawn(t, a, writer, api.SpawnRequest{Name: "frontend", Role: "frontend", Team: strings.Repeat("t", 63)})
	spawn(t, b, hostile, api.SpawnRequest{Name: "backend", Title: evilTitle, Scope: []string{"<u>x</u>/**", strings.Repeat("s", 190) + "/**"}})
	job, err := a.API().OpenJob(t.Context(), api.OpenRequest{Peer: string(peers[0].ID), Title: `<h1>Job</h1>` + "\u200b🦀" + strings.Repeat("J", 60), Goal: `<script>document.title="bad"</script> ![x](http://127.0.0.2:9/goal.png)`,
		Agents: []groove.AgentName{"frontend", long}, PeerAgents: []groove.AgentName{"backend"}})
	if err != nil {
		t.Fatal(err)
	}
	a.WaitJob(job.ID, groove.LegOpen)
	say := func(text string) {
		t.Helper()
		m, err := b.API().Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "frontend"}, Payload: groove.Message{Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		b.WaitMessage(m.ID, "delivered", "started", "answered")
	}
	say(`<script>document.title="bad"</script><img src="http://127.0.0.2:9/img.png"><iframe src="http://127.0.0.2:9/frame"></iframe>` +
		` ![pic](http://127.0.0.2:9/md.png) [go](javascript:document.title="bad") [data](data:text/html,bad) <style>@import "http://127.0.0.2:9/x.css";</style>` + " \u202Egnp.exe \u200b")
	say("huge " + strings.Repeat("<b>0123456789</b>", 200_000/17))
	// A question of the peer's making: a job that is proposed to one who is asked.
	if _, err := a.API().SetPolicy(t.Context(), string(peers[0].ID), api.PolicyRequest{Open: "ask"}); err != nil {
		t.Fatal(err)
	}
	ours, err := b.API().Peers(t.Context())
	if err != nil || len(ours) != 1 {
		t.Fatal(ours, err)
	}
	if _, err := b.API().OpenJob(t.Context(), api.OpenRequest{Peer: string(ours[0].ID), Title: `<h2>Proposed</h2>` + "\u200b", Goal: `<img src=http://127.0.0.2:9/p.png>`, Agents: []groove.AgentName{"backend"}, PeerAgents: []groove.AgentName{"frontend"}}); err != nil {
		t.Fatal(err)
	}
	a.Until("the question", func(ctx context.Context) (bool, error) {
		open, err := a.API().Approvals(ctx, false)
		return len(open) > 0, err
	})
	flow(t, "hostile.mjs", map[string]any{"url": enter(t, a), "daemon": evilDaemon, "title": evilTitle, "long": long, "shots": os.Getenv("GROOVE_SHOTS")})
}

package teams

import (
	"context"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// relay passes "for NAME: TEXT" of its team on to NAME at the peer, and answers from
// there back to frontend.
const relay = `
rules:
  - on: "^for (\\S+): (.*)"
    for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.Submatch 1}}", text: "{{.From}} asks: {{.Submatch 2}}"}}
      - say: "{{.Result}}"
  - on: "^fields: (.*)"
    for_each: message
    do:
      - tool: {name: groove_send, args: {to: frontend, text: "from the server: {{.Submatch 1}}"}}
default:
  - say: noted
`

// asker sends what its user says as "send NAME TEXT".
const asker = `
rules:
  - on: "^send (\\S+) (.*)"
    do:
      - tool: {name: groove_send, args: {to: "{{.Submatch 1}}", text: "{{.Submatch 2}}"}}
      - say: "{{.Result}}"
default:
  - say: noted
`

const backend = `
rules:
  - on: "asks: fields"
    for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "fields: id, title", reply_to: "{{.ID}}"}}
  - on: "^send (\\S+) (.*)"
    do:
      - tool: {name: groove_send, args: {to: "{{.Submatch 1}}", text: "{{.Submatch 2}}"}}
      - say: "{{.Result}}"
default:
  - say: noted
`

func two(t *testing.T, mine bool) (laptop, server world) {
	t.Helper()
	laptop, server = newWorld(t, "laptop", "127.0.0.1"), newWorld(t, "server", "127.0.0.2")
	harness.PairAs(t, laptop.Node, server.Node, mine)
	return laptop, server
}

// open waits until the agent's job is open.
func (w world) open(a groove.Agent) api.Job {
	w.T.Helper()
	if a.Link == nil {
		w.T.Fatalf("%s has no link", a.Name)
	}
	return w.WaitJob(a.Link.Job, groove.LegOpen)
}

func TestAmbassadorRelays(t *testing.T) {
	laptop, server := two(t, true)
	server.spawn("backend", backend, role("backend"), team("shop"))
	server.spawn("reviewer", asker, role("reviewer"), team("shop"))
	server.spawn("gone", quiet)
	if _, err := server.Client.Kill(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	laptop.spawn("frontend", asker, role("frontend"), team("shop"))
	ambassador := laptop.spawn("ambassador-1", relay, role("ambassador"), team("shop"), linked("server"))
	job := laptop.open(ambassador)
	if !slices.Equal(job.Legs[0].PeerAgents, []groove.AgentName{"backend", "reviewer"}) || !slices.Equal(job.Legs[0].Agents, []groove.AgentName{"ambassador-1"}) {
		t.Fatalf("the living agents that the peer shows are not linked: %+v", job.Legs[0])
	}

	laptop.tell("frontend", "send ambassador-1 for backend@server: fields of GET /todos?")
	laptop.sees("frontend", "from the server: id, title")

	// What each was told.
	prompt := laptop.prompts("ambassador-1")[0]
	has(t, prompt, "You relay and\ntranslate", "You are your team's ambassador to \"server\"", "- backend@server (role \"backend\"", "- frontend (role \"frontend\"")
	has(t, laptop.prompts("frontend")[0], "ambassador-1 speaks with the agents on \"server\" for your team")
	has(t, server.prompts("backend")[0], `with the peer "laptop"`, "its user opened it", "- ambassador-1@laptop")
	if strings.Contains(laptop.prompts("frontend")[0], "- backend@server") {
		t.Error("frontend is told of agents that it may not address")
	}
}

func TestOnlyTheAmbassadorMayAddressThePeer(t *testing.T) {
	laptop, server := two(t, true)
	server.spawn("backend", backend, team("shop"))
	server.spawn("reviewer", asker, team("shop"))
	laptop.spawn("frontend", asker, team("shop"))
	laptop.spawn("outsider", asker, team("other"))
	laptop.open(laptop.spawn("ambassador-1", relay, role("ambassador"), team("shop"), linked("server", "backend")))

	laptop.tell("frontend", "send backend@server hello")
	laptop.sees("frontend", "ask ambassador-1")
	laptop.tell("outsider", "send backend@server hello")
	laptop.sees("outsider", "contract.notAllowed")
	for _, l := range laptop.lines("outsider") {
		if strings.Contains(l.Text, "ask ambassador-1") {
			t.Errorf("another team is sent to this one's ambassador: %s", l.Text)
		}
	}
	laptop.tell("ambassador-1", "x") // its turn ends before it is asked to write to one that is not linked
	if _, err := laptop.Client.Send(t.Context(), api.MessageRequest{To: api.MessageTo{Agent: "ambassador-1"}, Payload: groove.Message{Text: "for reviewer@server: hi"}}); err != nil {
		t.Fatal(err)
	}
	// The other direction.
	server.tell("backend", "send frontend@laptop hello")
	server.sees("backend", "contract.notAllowed")
	server.tell("reviewer", "send ambassador-1@laptop hello")
	server.sees("reviewer", "ask backend")
	for _, w := range []world{laptop, server} {
		m, err := w.Client.Messages(t.Context(), api.MessageFilter{Limit: 100}, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, mail := range m.Messages {
			if mail.Direction != "local" {
				t.Errorf("%s: a message crossed: %s to %s %q", w.Name, mail.From, mail.To, mail.Text)
			}
		}
	}
}

func TestDirectLink(t *testing.T) {
	laptop, server := two(t, true)
	server.spawn("backend", backend)
	server.spawn("reviewer", quiet)
	for _, row := range []struct {
		why  string
		edit func(*api.SpawnRequest)
		kind groove.Kind
	}{
		{"two agents", linked("server", "backend", "reviewer"), groove.KindInvalid},
		{"all of those shown, which are two", linked("server"), groove.KindInvalid},
		{"a peer that is not known", linked("nobody", "backend"), groove.KindPeerUnknown},
		{"no peer", func(r *api.SpawnRequest) { r.Link = &api.LinkRequest{} }, groove.KindInvalid},
		{"a peer twice", func(r *api.SpawnRequest) {
			r.Role, r.Link = "ambassador", &api.LinkRequest{Peers: []api.LinkPeer{{Peer: "server"}, {Peer: string(server.Info.ID)}}}
		}, groove.KindConflict},
		{"a peer in two ways", func(r *api.SpawnRequest) {
			r.Role, r.Link = "ambassador", &api.LinkRequest{Peer: "server", Peers: []api.LinkPeer{{Peer: "server"}}}
		}, groove.KindInvalid},
		{"an ambassador without a peer", role("ambassador"), groove.KindInvalid},
		{"a name that is none", linked("server", "Back End"), groove.KindInvalid},
	} {
		_, err := laptop.trySpawn("frontend", asker, row.edit)
		if groove.KindOf(err) != row.kind {
			t.Errorf("%s: %v, want %s", row.why, err, row.kind)
		}
	}
	if all, err := laptop.Client.Agents(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("a refused spawn leaves %v, %v", all, err)
	}
	a := laptop.spawn("frontend", asker, linked("server", "backend"))
	job := laptop.open(a)
	if a.Link.Mode != "direct" || len(job.Legs[0].PeerAgents) != 1 {
		t.Errorf("%+v %+v", a.Link, job)
	}
	laptop.tell("frontend", "send backend@server asks: fields")
	laptop.sees("frontend", "fields: id, title")
	prompt := laptop.prompts("frontend")[0]
	has(t, prompt, "- backend@server")
	if strings.Contains(prompt, "ambassador") {
		t.Errorf("a direct link is told of as an ambassador's:\n%s", prompt)
	}
}

func TestAPeerThatShowsNobody(t *testing.T) {
	laptop, _ := two(t, true)
	_, err := laptop.trySpawn("ambassador-1", relay, role("ambassador"), linked("server"))
	if e := groove.AsError(err); e.Kind != groove.KindAgentUnknown || !strings.Contains(e.Fix, "--link") {
		t.Errorf("%v, fix %q", err, e.Fix)
	}
}

// Two users: the other side's is asked in plain words; a no reaches the agent, which stays.
func TestThePeersUserIsAsked(t *testing.T) {
	laptop, server := two(t, false)
	server.spawn("backend", backend)
	spawn := func(name string) groove.Agent {
		return laptop.spawn(name, relay, role("ambassador"), linked("server", "backend"), func(r *api.SpawnRequest) {
			r.Link.TTL, r.Task = 1800, "Agree on the API\nand build it."
		})
	}
	asked := func() api.Approval {
		var q api.Approval
		server.Until("the question", func(ctx context.Context) (bool, error) {
			list, err := server.Client.Approvals(ctx, false)
			if len(list) == 1 {
				q = list[0]
			}
			return len(list) == 1, err
		})
		return q
	}
	preview, err := laptop.Client.PreviewContract(t.Context(), api.ContractRequest{Name: "ambassador-1", Role: "ambassador", Task: "Agree on the API\nand build it.",
		Link: api.LinkRequest{Peer: "server", Agents: []groove.AgentName{"backend"}, TTL: 1800}})
	if err != nil || len(preview) != 1 || preview[0].PeerName != "server" {
		t.Fatalf("preview: %+v, %v", preview, err)
	}
	a := spawn("ambassador-1")
	q := asked()
	if preview[0].Words != q.Words {
		t.Errorf("the preview said\n%s\nand the peer's user reads\n%s", preview[0].Words, q.Words)
	}
	has(t, q.Words, "laptop (key "+laptop.Info.ID.Short()+") asks to open a job: «Agree on the API».", "«Agree on the API and build it.»",
		"ambassador-1", "may write to backend here", "30 min after your yes", "of your files nothing")
	if one, err := server.Client.Approval(t.Context(), q.ID); err != nil || one.Words != q.Words {
		t.Errorf("%+v, %v", one, err)
	}
	if prompts := server.prompts("backend"); len(prompts) > 0 {
		t.Errorf("backend hears of a job that nobody has accepted: %v", prompts)
	}
	server.tell("backend", "hello")
	if prompt, _ := server.last("backend"); strings.Contains(prompt, "ambassador-1") {
		t.Errorf("backend hears of a job that nobody has accepted:\n%s", prompt)
	}
	if _, err := server.Client.Answer(t.Context(), q.ID, api.AnswerRequest{Answer: "reject"}); err != nil {
		t.Fatal(err)
	}
	laptop.WaitJob(a.Link.Job, groove.LegClosed)
	laptop.tell("ambassador-1", "go on")
	prompt, briefed := laptop.last("ambassador-1")
	has(t, prompt, "(groove) The job "+a.Link.Job.Short()+" with the peer server has ended: the peer's side has refused it.")
	if !briefed || strings.Contains(prompt, "backend@server") {
		t.Errorf("the briefing still has the job:\n%s", prompt)
	}

	b := spawn("ambassador-2")
	if _, err := server.Client.Answer(t.Context(), asked().ID, api.AnswerRequest{Answer: "approve"}); err != nil {
		t.Fatal(err)
	}
	laptop.open(b)
	server.tell("backend", "hello")
	prompt, _ = server.last("backend")
	has(t, prompt, "- ambassador-2@laptop")
}

// One job, a leg for each peer; it ends when every linked agent is done.
func TestAmbassadorToSeveralPeers(t *testing.T) {
	laptop, server := two(t, true)
	third := newWorld(t, "vps", "127.0.0.3")
	harness.Pair(t, laptop.Node, third.Node)
	server.spawn("backend", backend)
	third.spawn("docs", quiet)
	a := laptop.spawn("ambassador-1", relay, role("ambassador"), func(r *api.SpawnRequest) {
		r.Link = &api.LinkRequest{Peers: []api.LinkPeer{{Peer: "server"}, {Peer: "vps", Agents: []groove.AgentName{"docs"}}}}
	})
	laptop.state(a.Link.Job, "open")
	laptop.tell("ambassador-1", "hello")
	prompt, _ := laptop.last("ambassador-1")
	has(t, prompt, "- backend@server", "- docs@vps", `ambassador to "server", "vps"`)
	for _, end := range []struct {
		w    world
		name string
	}{{server, "backend"}, {laptop, "ambassador-1"}, {third, "docs"}} {
		for _, j := range laptop.jobs() {
			if j.State == "closed" {
				t.Fatalf("the job ended before %s was done", end.name)
			}
		}
		if _, err := end.w.Client.Done(t.Context(), end.name, api.DoneRequest{Summary: "it stands"}); err != nil {
			t.Fatal(err)
		}
	}
	laptop.state(a.Link.Job, "closed")
	for _, leg := range laptop.jobs()[0].Legs {
		if leg.Reason != string(groove.ByeJobComplete) {
			t.Errorf("the leg with %s ended by %s", leg.PeerName, leg.Reason)
		}
	}
}

func (w world) jobs() []api.Job {
	w.T.Helper()
	jobs, err := w.Client.Jobs(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	return jobs
}

// state waits until every leg of the job is in the state.
func (w world) state(id groove.JobID, state groove.LegState) {
	w.T.Helper()
	w.Until("job "+string(state), func(ctx context.Context) (bool, error) {
		jobs, err := w.Client.Jobs(ctx)
		for _, j := range jobs {
			if j.ID == id {
				return !slices.ContainsFunc(j.Legs, func(l api.Leg) bool { return l.State != state }), err
			}
		}
		return false, err
	})
}

package lifecycle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
)

// TestTheRecordOfAJob: what crossed, when each step was known, what was asked and decided, how long
// answers took; found by what was said in it, and exported with hostile text as text.
func TestTheRecordOfAJob(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	job := a.Open(b, front, back, func(r *api.OpenRequest) { r.Title, r.Goal = "Invoices API", "Agree on cents" }).ID
	other := a.Open(b, front, []groove.AgentName{"backend"}, func(r *api.OpenRequest) { r.Title = "Something else" }).ID
	if _, err := b.Client.SetPolicy(t.Context(), "laptop", api.PolicyRequest{Message: "ask"}); err != nil {
		t.Fatal(err)
	}
	const hostile = "needle 100% _x\n```\n# Not a heading\n\x1b[2J <script>"
	asks := post(t, a, job, "backend", hostile)
	a.WaitMessage(asks.ID, "held")
	answer(t, b, asked(t, b, "message.held"), "approve")
	a.WaitMessage(asks.ID, "started", "answered")
	if _, err := b.Client.SetPolicy(t.Context(), "laptop", api.PolicyRequest{Message: "allow"}); err != nil {
		t.Fatal(err)
	}
	back, err := b.Client.Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: "user"}, ReplyTo: asks.ID, Payload: groove.Message{Text: "cents it is"}})
	if err != nil {
		t.Fatal(err)
	}
	a.WaitMessage(asks.ID, "answered")
	a.WaitMessage(back.ID, "stored", "delivered", "started")
	if _, err := a.Client.PauseJob(t.Context(), of(job)); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Client.CloseJob(t.Context(), of(job)); err != nil {
		t.Fatal(err)
	}
	waitLeg(t, a, job, groove.LegClosed, "")
	waitLeg(t, b, job, groove.LegClosed, "")

	page, err := a.Client.Messages(t.Context(), api.MessageFilter{Job: string(job), Steps: true, Limit: 10}, 0)
	if err != nil || len(page.Messages) != 2 {
		t.Fatalf("%d messages, %v", len(page.Messages), err)
	}
	sent := page.Messages[0]
	var states []string
	for i, s := range sent.Steps {
		states = append(states, s.State)
		if s.At.Before(sent.At.Time) || i > 0 && s.At.Before(sent.Steps[i-1].At.Time) {
			t.Errorf("step %s is at %s, before the one that it follows", s.State, s.At)
		}
	}
	if want := "queued held"; !strings.HasPrefix(strings.Join(states, " "), want) || states[len(states)-1] != "answered" {
		t.Errorf("steps %v, want them to begin %q and end answered", states, want)
	}
	plain, err := a.Client.Messages(t.Context(), api.MessageFilter{Job: string(job), Limit: 10}, 0)
	if err != nil || len(plain.Messages[0].Steps) != 0 {
		t.Errorf("steps that nobody asked for: %v, %v", plain.Messages, err)
	}

	r, err := a.Client.JobRecord(t.Context(), string(job[:6]))
	if err != nil {
		t.Fatal(err)
	}
	leg := r.Legs[0]
	if leg.Crossed != (api.Crossed{Sent: 1, Received: 1}) || leg.Answered.Count != 1 || leg.Delivered.Count != 1 || leg.Answered.Most < leg.Delivered.Most {
		t.Errorf("leg %+v", leg)
	}
	if !strings.Contains(leg.Words, "frontend here, and you, may write to backend at vps") || leg.Opened == nil || leg.Closed == nil {
		t.Errorf("words %q, opened %v, closed %v", leg.Words, leg.Opened, leg.Closed)
	}
	happened := func(r api.JobRecord) (out []string) {
		for _, n := range r.Notes {
			out = append(out, n.Event)
		}
		return out
	}
	for _, want := range []string{"job.open", "opened", "connect", "job.pause", "job.close"} {
		if !slices.Contains(happened(r), want) {
			t.Errorf("here %v, without %s", happened(r), want)
		}
	}
	if slices.Contains(happened(r), "send") || slices.Contains(happened(r), "receive") {
		t.Errorf("messages stand among what else happened: %v", happened(r))
	}
	if first := r.Notes[0].Event; first != "job.open" {
		t.Errorf("the record begins with %s", first)
	}
	there, err := b.Client.JobRecord(t.Context(), string(job))
	if err != nil || !slices.Contains(happened(there), "asked") || !slices.Contains(happened(there), "approved") {
		t.Errorf("there %v, %v: without the question and its answer", happened(there), err)
	}

	finds := func(f api.JobFilter) string {
		t.Helper()
		all, err := a.Client.FindJobs(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		out := ""
		for _, j := range all {
			out += map[groove.JobID]string{job: "1", other: "2"}[j.ID]
		}
		return out
	}
	for _, row := range []struct {
		why  string
		f    api.JobFilter
		want string
	}{
		{"all, the newest first", api.JobFilter{}, "21"},
		{"by the text of a message, in another case", api.JobFilter{Text: "NEEDLE 100% _"}, "1"},
		{"a sign of LIKE is a sign", api.JobFilter{Text: "needle_100"}, ""},
		{"by the title", api.JobFilter{Text: "something"}, "2"},
		{"by the goal", api.JobFilter{Text: "on cents"}, "1"},
		{"by state", api.JobFilter{State: "closed"}, "1"},
		{"those that live", api.JobFilter{State: "live"}, "2"},
		{"by peer", api.JobFilter{Peer: "vps", Text: "invoices"}, "1"},
		{"by a peer that has none", api.JobFilter{Peer: "nobody"}, ""},
		{"by an agent of the other side", api.JobFilter{Agent: "backend", State: "closed"}, "1"},
	} {
		if got := finds(row.f); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
	}

	var md, js bytes.Buffer
	if err := a.Client.ExportJob(t.Context(), string(job), "md", &md); err != nil {
		t.Fatal(err)
	}
	text := md.String()
	if strings.ContainsRune(text, '\x1b') || !strings.Contains(text, "````\nneedle 100% _x\n```\n# Not a heading\n[2J <script>\n````\n") {
		t.Errorf("the peer's text is not fenced:\n%s", text)
	}
	if !strings.Contains(text, "- ") || strings.Index(text, "needle") > strings.Index(text, "cents it is") || !strings.Contains(text, "job.close") {
		t.Errorf("the order is not that of time:\n%s", text)
	}
	if err := a.Client.ExportJob(t.Context(), string(job), "json", &js); err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Record   api.JobRecord `json:"record"`
		Messages []groove.Mail `json:"messages"`
	}
	if err := json.Unmarshal(js.Bytes(), &whole); err != nil || len(whole.Messages) != 2 || whole.Messages[0].Text != hostile || whole.Record.Job.ID != job || len(whole.Messages[0].Steps) == 0 {
		t.Errorf("%v: %s", err, js.String())
	}
	err = a.Client.ExportJob(t.Context(), "zzzz", "md", &bytes.Buffer{})
	refused(t, "a job that there is not", err, groove.KindJobUnknown)
}

// TestALongRecordStreams: each message of more than a page stands in the export once, in order.
func TestALongRecordStreams(t *testing.T) {
	t.Parallel()
	a, b := pair(t, true, "off")
	job := a.Open(b, front, back).ID
	const many = 1100
	var last groove.Sent
	for i := range many {
		from, to := a, groove.AgentName("backend")
		if i%4 == 0 {
			from, to = b, "frontend"
		}
		s := post(t, from, job, to, fmt.Sprintf("message %d.", i))
		if from == a {
			last = s
		}
	}
	a.WaitMessage(last.ID, "stored", "delivered", "started", "answered")
	a.Until("all have crossed", func(ctx context.Context) (bool, error) {
		r, err := a.Client.JobRecord(ctx, string(job))
		return err == nil && r.Legs[0].Crossed.Received == many/4, err
	})
	var js bytes.Buffer
	if err := a.Client.ExportJob(t.Context(), string(job), "json", &js); err != nil {
		t.Fatal(err)
	}
	var whole struct {
		Messages []groove.Mail `json:"messages"`
	}
	if err := json.Unmarshal(js.Bytes(), &whole); err != nil || len(whole.Messages) != many {
		t.Fatalf("%d messages, %v", len(whole.Messages), err)
	}
	for i := range many {
		if n := strings.Count(js.String(), fmt.Sprintf(`"message %d."`, i)); n != 1 {
			t.Errorf("message %d stands in it %d times", i, n)
		}
	}
	if !slices.IsSortedFunc(whole.Messages, func(x, y groove.Mail) int { return x.At.Compare(y.At.Time) }) {
		t.Error("they are not in order")
	}
}

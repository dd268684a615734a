package lifecycle

import (
	"context"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

// later hangs in its first turn and reads on in the next.
const later = `
rules:
  - {on: "first", do: [{say: "working on it"}, {hang: true}]}
default: [{say: "read"}]
`

// TestWhatIsReadAtRestIsTold: a message waits for an agent when its daemon stops, and both sides of the
// job rest. The agent reads it after the next start: its sender is told so without another message.
func TestWhatIsReadAtRestIsTold(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", later)
	b.Spawn("backend", later)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"}).ID
	send := func(text string) groove.MessageID {
		t.Helper()
		sent, err := a.API().Send(t.Context(), api.MessageRequest{Job: job, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		return sent.ID
	}
	becomes := func(id groove.MessageID, states ...groove.OutboxState) {
		t.Helper()
		a.Until("the message is "+string(states[0]), func(ctx context.Context) (bool, error) {
			m, err := a.API().Message(ctx, id)
			for _, s := range states {
				if m.State == string(s) {
					return true, err
				}
			}
			return false, err
		})
	}
	becomes(send("first"), groove.OutStarted)
	second := send("second")
	becomes(second, groove.OutStored)
	b.Stop()
	a.Until("the job rests", func(ctx context.Context) (bool, error) {
		j, err := a.API().Job(ctx, string(job))
		return err == nil && j.Legs[0].State == groove.LegResting, err
	})
	b.Start()
	becomes(second, groove.OutStarted, groove.OutAnswered)
}

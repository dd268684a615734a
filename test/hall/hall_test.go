// Package hall holds two real daemons together and sends messages through the
// whole hall.
package hall

import (
	"context"
	"testing"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

const echo = `
rules:
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "echo {{.Text}}", reply_to: "{{.ID}}"}}
`

const quiet = `
default:
  - say: "noted"
`

const hang = `
default:
  - hang: true
`

func TestOneMessage(t *testing.T) {
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", quiet)
	b.Spawn("backend", echo)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	sent, err := a.Client.Send(context.Background(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "backend"}, Payload: groove.Message{Text: "hello"}})
	if err != nil {
		t.Fatal(err)
	}
	got := a.WaitMessage(sent.ID, "answered")
	t.Logf("%+v", got)
}

package daemon

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"

	"groove/internal/groove"
	"groove/internal/tools"
)

// trials are the agent programs under test. A trial is no agent: no name is taken, no row
// written, no peer told. Its token opens a desk of its own, at which nothing but
// groove_agents works, and shows nobody.
type trials struct {
	free chan struct{} // one at a time: each program takes a core and hundreds of MB
	mu   sync.Mutex
	open map[[sha256.Size]byte]*trial
}

// trial is one program under test, as the tools see it.
type trial struct {
	name   groove.AgentName
	token  string
	once   sync.Once
	called chan struct{} // closed by the first call of groove_agents
}

func newTrials() *trials {
	return &trials{free: make(chan struct{}, 1), open: map[[sha256.Size]byte]*trial{}}
}

// begin opens a trial when none other is open; end must follow. It fails with KindTimeout when
// ctx ends before.
func (t *trials) begin(ctx context.Context) (*trial, error) {
	select {
	case t.free <- struct{}{}:
	case <-ctx.Done():
		return nil, groove.Wrap("test program", groove.KindTimeout, ctx.Err())
	}
	var b [32]byte
	rand.Read(b[:]) //nolint:errcheck // never fails, as its documentation says
	one := &trial{name: groove.AgentName("test-" + hex.EncodeToString(b[:4])), token: hex.EncodeToString(b[:]), called: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[sha256.Sum256([]byte(one.token))] = one
	return one, nil
}

func (t *trials) end(one *trial) {
	t.mu.Lock()
	delete(t.open, sha256.Sum256([]byte(one.token)))
	t.mu.Unlock()
	<-t.free
}

// byToken compares only hashes, so that the time it takes tells nothing about a token.
func (t *trials) byToken(token string) *trial {
	sum := sha256.Sum256([]byte(token))
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open[sum]
}

// Agent is tools.Tokens.
func (t *trials) Agent(token string) (groove.AgentName, bool) {
	if one := t.byToken(token); one != nil {
		return one.name, true
	}
	return "", false
}

// door sends programs under test to their own desk, all others to agents'.
func (t *trials) door(agents http.Handler, log *slog.Logger) http.Handler {
	own := tools.New(trialDesk{t}, t, log)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if t.byToken(token) != nil {
			own.ServeHTTP(w, r)
			return
		}
		agents.ServeHTTP(w, r)
	})
}

// trialDesk is what a program under test can do: look around, and see nobody.
type trialDesk struct{ t *trials }

func (k trialDesk) Agents(_ context.Context, caller groove.AgentName) ([]groove.Agent, []groove.RemoteAgent, error) {
	k.t.mu.Lock()
	defer k.t.mu.Unlock()
	for _, one := range k.t.open {
		if one.name == caller {
			one.once.Do(func() { close(one.called) })
		}
	}
	return nil, nil, nil
}

func onlyATest(op string) error {
	return groove.Errorf(op, groove.KindForbidden, "this is a test of the program, not an agent's session")
}

func (trialDesk) Send(context.Context, groove.Draft) (groove.Sent, error) {
	return groove.Sent{}, onlyATest("send message")
}

func (trialDesk) Read(context.Context, groove.AgentName, int) ([]groove.Letter, error) {
	return nil, onlyATest("read inbox")
}

func (trialDesk) Delivered(context.Context, groove.AgentName, int64) error {
	return onlyATest("read inbox")
}

func (trialDesk) Wait(context.Context, groove.AgentName) error { return onlyATest("wait for mail") }

func (trialDesk) Done(context.Context, groove.AgentName, string, groove.JobID) error {
	return onlyATest("finish agent")
}

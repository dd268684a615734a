package agents

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

const (
	// stallAfterSet is how long a turn may be silent: a model that thinks says so in between.
	stallAfterSet = 10 * time.Minute
	// toolPatience is how many times that a tool of the program's may take: a build, a test run.
	toolPatience = 3
)

// watch notices a turn that shows no sign of life. One timer runs for a turn and is set
// again only when it is due, so that a sign costs two atomic operations. It runs by the
// even clock: the machine's sleep does not count.
type watch struct {
	t     *turn
	after time.Duration

	last  atomic.Int64 // clock.Mono of the last sign
	quiet atomic.Bool  // the agent is shown as stalled

	mu    sync.Mutex
	tools map[string]struct{} // tool calls that the program announced and that are not over
	timer *clock.Timer
	ended bool
	close context.CancelFunc // withdraws the open question
	asks  sync.WaitGroup
}

func watchTurn(t *turn) *watch {
	w := &watch{t: t, after: t.e.o.StallAfter, tools: map[string]struct{}{}}
	if w.after <= 0 {
		w.after = stallAfterSet
	}
	w.last.Store(int64(clock.Mono()))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = clock.AfterFunc(w.after, w.look)
	return w
}

// end stops watching, and returns when the question is closed.
func (w *watch) end() {
	w.mu.Lock()
	w.ended = true
	w.timer.Stop()
	if w.close != nil {
		w.close()
	}
	w.mu.Unlock()
	w.asks.Wait()
}

// Sign tells that an agent was seen at work: it called one of groove's own tools.
func (e *Engine) Sign(name groove.AgentName) {
	if a := e.find(name); a != nil {
		a.stir()
	}
}

// stir is a sign of the running turn, if there is one.
func (a *agent) stir() {
	if t := a.turn.Load(); t != nil {
		t.watch.sign()
	}
}

func (w *watch) sign() {
	w.last.Store(int64(clock.Mono()))
	if w.quiet.Load() {
		w.revive()
	}
}

// heard is the sign of an update; those of tools say whether one is at work.
func (w *watch) heard(u *groove.Update) {
	w.sign()
	if u.Kind != groove.UpdateToolCall && u.Kind != groove.UpdateToolDone {
		return
	}
	var call struct {
		ID     string `json:"toolCallId"`
		Status string `json:"status"`
	}
	if json.Unmarshal(u.Raw, &call) != nil || call.ID == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch call.Status {
	case "completed", "failed":
		delete(w.tools, call.ID)
	default:
		if len(w.tools) < maxTools {
			w.tools[call.ID] = struct{}{}
		}
	}
}

// maxTools bounds what a program can make the watch remember.
const maxTools = 1000

// look is the timer's: it finds a silent turn or sets the timer to when there may be one.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	limit := w.after
	if len(w.tools) > 0 {
		limit *= toolPatience
	}
	last := w.last.Load()
	silent := clock.Mono() - time.Duration(last)
	switch {
	case w.t.a.awaits(): // it waits for its user, and the answer is a sign
		w.timer.Reset(limit)
	case silent < limit:
		w.timer.Reset(limit - silent)
	default:
		w.stall(last, silent)
	}
}

// awaits reports whether a permission question of the agent is open.
func (a *agent) awaits() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asks > 0
}

// stall shows the agent as stalled and asks its user. The caller holds mu.
func (w *watch) stall(last int64, silent time.Duration) {
	w.quiet.Store(true)
	if w.last.Load() != last { // a sign came that did not see quiet
		w.quiet.Store(false)
		w.timer.Reset(w.after)
		return
	}
	a, e := w.t.a, w.t.e
	if !a.event(EventStalled) { // it is being ended
		return
	}
	a.setReason("its turn has shown no sign of life for " + silent.Round(time.Second).String())
	e.note(a)
	e.o.Log.Warn("turn stalled", "agent", a.name())
	if e.o.AskStalled == nil {
		return
	}
	ctx, cancel := context.WithCancel(a.ctx)
	w.close = cancel
	w.asks.Go(func() {
		defer cancel()
		answer := e.o.AskStalled(ctx, a.show(), silent)
		if ctx.Err() == nil {
			w.answered(answer)
		}
	})
}

// revive takes back what stall said.
func (w *watch) revive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || !w.quiet.Swap(false) {
		return
	}
	if w.close != nil {
		w.close()
		w.close = nil
	}
	w.t.a.setReason("")
	w.t.a.event(EventRevived)
	w.t.e.note(w.t.a)
	w.timer.Reset(w.after)
}

// answered does what the user said. It waits for no turn's end: that waits for it.
func (w *watch) answered(answer groove.StallAnswer) {
	switch answer {
	case groove.StallKill:
		if err := w.t.e.order(context.Background(), w.t.a, groove.AgentKilled, "kill", nil); err != nil {
			w.t.e.o.Log.Error("stalled agent not killed", "agent", w.t.a.name(), "kind", groove.KindOf(err), "err", err)
			break
		}
		w.t.a.cancel()
		return
	case groove.StallInterrupt:
		if err := w.t.interrupt(w.t.a.ctx); err != nil {
			w.t.e.o.Log.Warn("stalled turn not interrupted", "agent", w.t.a.name(), "kind", groove.KindOf(err), "err", err)
		}
	}
	w.sign() // where nothing comes of it, the user is asked again
}

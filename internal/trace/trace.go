// Package trace tells an OpenTelemetry collector how messages went: one trace a message,
// whose trace ID is the message's own ID, so that the spans of both daemons join and
// nothing is said about it on the wire.
//
// It stands beside the hall and only where the user names a collector (trace.endpoint).
// Rooms hand it what they have committed, and the bridge what goes over its connections;
// that never blocks. One goroutine makes spans of it, another posts them as OTLP/JSON.
// What the collector does not take in time is dropped and counted, never waited for. No
// text of a message comes here; names of agents, peers' and jobs' IDs do.
package trace

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

const (
	// queueMax is how many changes may wait to become spans: a second of a busy daemon.
	queueMax = 8192
	// batchMax is how many spans go into one post, some 300 KiB.
	batchMax = 512
	// pace is how long a span waits for company.
	pace = time.Second
	// batchesMax is how many posts may wait for a slow collector.
	batchesMax = 8
	// postTime bounds one post.
	postTime = 10 * time.Second
	// lastTime bounds what is sent while the daemon stops: nobody waits for a collector.
	lastTime = time.Second
	// complainEvery is how often the log says that the collector does not take spans.
	complainEvery = 5 * time.Minute
)

// Options are what a Tracer needs. All members are required.
type Options struct {
	Endpoint string // http(s)://host:port, perhaps a path; /v1/traces is put behind it
	Self     groove.DaemonID
	Version  string
	Clock    groove.Clock
	Random   io.Reader
	Log      *slog.Logger
}

// Tracer makes and posts spans. Its methods are safe for concurrent use.
type Tracer struct {
	opts    Options
	client  *http.Client
	queue   chan item
	batches chan []span
	ways    ways // Run's goroutine only

	sent, dropped atomic.Uint64
	complained    atomic.Int64 // Mono of the last complaint, 0 = none
}

// item is one thing that happened to a message.
type item struct {
	at     time.Time
	change groove.MessageChange
	over   *groove.Crossing // of a connection; then change is made of it
}

// New returns a tracer; Run makes it work.
func New(o Options) *Tracer {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost, transport.DisableCompression = 1, true
	return &Tracer{opts: o, queue: make(chan item, queueMax), batches: make(chan []span, batchesMax), ways: newWays(o.Random),
		client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Moved takes what a transaction has committed, in order. It never blocks, and keeps
// nothing of the slice.
func (t *Tracer) Moved(changes []groove.MessageChange) {
	at := t.opts.Clock()
	for i := range changes {
		t.put(item{at: at, change: changes[i]})
	}
}

// Crossed takes a message that goes over a connection. It never blocks.
func (t *Tracer) Crossed(c groove.Crossing) {
	state := handed
	if c.Direction == groove.In {
		state = received
	}
	t.put(item{at: t.opts.Clock(), change: groove.MessageChange{ID: c.ID, Direction: c.Direction, State: state}, over: &c})
}

func (t *Tracer) put(i item) {
	select {
	case t.queue <- i:
	default:
		t.dropped.Add(1)
	}
}

// Stats is how many spans the collector took, and how many were dropped, since the start.
func (t *Tracer) Stats() (sent, dropped uint64) { return t.sent.Load(), t.dropped.Load() }

// Run makes spans and posts them until ctx ends, and then for at most a second more.
func (t *Tracer) Run(ctx context.Context) {
	posting, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var poster sync.WaitGroup
	poster.Go(func() { t.post(posting) })
	t.gather(ctx)
	close(t.batches)
	late := clock.AfterFunc(lastTime, end)
	defer late.Stop()
	poster.Wait()
	t.client.CloseIdleConnections()
}

// gather makes spans of what happened and hands them on by batches.
func (t *Tracer) gather(ctx context.Context) {
	var batch []span
	timer := clock.NewTimer(pace)
	timer.Stop()
	defer timer.Stop()
	flush := func() {
		select {
		case t.batches <- batch:
		default:
			t.dropped.Add(uint64(len(batch)))
		}
		batch = nil
	}
	take := func(i item) {
		s, ok := t.ways.step(i)
		if !ok {
			return
		}
		if batch = append(batch, s); len(batch) == batchMax {
			timer.Stop()
			flush()
		} else if len(batch) == 1 {
			timer.Reset(pace)
		}
	}
	for {
		select {
		case i := <-t.queue:
			take(i)
		case <-timer.C:
			if len(batch) > 0 {
				flush()
			}
		case <-ctx.Done():
			for len(t.queue) > 0 {
				take(<-t.queue)
			}
			if len(batch) > 0 {
				flush()
			}
			return
		}
	}
}

// post sends batches until there are no more.
func (t *Tracer) post(ctx context.Context) {
	for batch := range t.batches {
		if err := t.send(ctx, batch); err != nil {
			t.dropped.Add(uint64(len(batch)))
			t.complain(err)
		} else {
			t.sent.Add(uint64(len(batch)))
		}
	}
}

// complain logs now and then: a collector that is away is away for hours.
func (t *Tracer) complain(err error) {
	now, last := int64(clock.Mono()), t.complained.Load()
	if last != 0 && time.Duration(now-last) < complainEvery {
		return
	}
	t.complained.Store(now)
	t.opts.Log.Warn("spans not taken by the collector of trace.endpoint; they are dropped", "err", err)
}

// Package replay keeps one connection honest about time: it admits each nonce
// once, refuses stored types whose timestamp is more than 5 minutes off, ids and
// expiries outside their 30 days, and measures the offset of the peer's clock
// (docs/protocol.md §5, §11). In the hall it stands between envelope, which proved
// who wrote the frame and in what order, and schema. Replays from other
// connections never come here: the channel binding stops them.
package replay

import (
	"sync/atomic"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

// Remembered is how many nonces of a connection are kept.
const Remembered = 65536

// kept is how long a nonce is remembered.
const kept = time.Hour

// Horizon is how long an id is kept at its receiver, and how far ahead an
// envelope may expire.
const Horizon = 30 * 24 * time.Hour

// Window is the replay window and the clock of one connection. One goroutine
// reads the connection and calls its methods; Offset and Skewed may be called by any.
type Window struct {
	clock  groove.Clock
	seen   map[[16]byte]struct{}
	ring   []entry // the nonces in seen, from oldest on
	oldest int
	offset atomic.Int64 // nanoseconds
}

type entry struct {
	nonce [16]byte
	at    time.Duration // clock.Mono
}

// New makes the window of one connection. It costs nothing until nonces come.
func New(clock groove.Clock) *Window { return &Window{clock: clock} }

// Nonce admits a nonce that is not among the last 65,536 and remembers it;
// otherwise it fails with KindReplayed. Those of more than an hour ago are forgotten as
// well: number and signature of the frame stop what is older, and an idle connection that
// stands for weeks stays small. A busy one costs about 4 MiB at most.
func (w *Window) Nonce(n [16]byte) error {
	if _, again := w.seen[n]; again {
		return groove.Errorf("admit envelope", groove.KindReplayed, "its nonce was used on this connection before")
	}
	if w.seen == nil {
		w.seen = make(map[[16]byte]struct{})
	}
	now := clock.Mono()
	for w.oldest < len(w.ring) && (len(w.ring)-w.oldest >= Remembered || now-w.ring[w.oldest].at > kept) {
		delete(w.seen, w.ring[w.oldest].nonce)
		w.oldest++
	}
	if w.oldest > 64 && w.oldest > len(w.ring)/2 {
		w.ring = w.ring[:copy(w.ring, w.ring[w.oldest:])]
		w.oldest = 0
	}
	w.ring = append(w.ring, entry{n, now})
	w.seen[n] = struct{}{}
	return nil
}

// Timestamp refuses an envelope of a stored type that was sent more than
// groove.MaxSkew from now, with KindClockSkew and both times. Other types may be
// off: they carry the clock that tells so.
func (w *Window) Timestamp(t time.Time, class groove.TypeClass) error {
	if class != groove.Stored {
		return nil
	}
	now := w.clock()
	if off := wall(t).Sub(wall(now)); off.Abs() > groove.MaxSkew {
		err := groove.Errorf("admit envelope", groove.KindClockSkew, "the sender's clock is off by %s", off.Round(time.Second)).
			WithFix("set the clock of the machine that is wrong (timedatectl set-ntp true)")
		err.Here, err.There = now.UTC(), t.UTC()
		return err
	}
	return nil
}

// Expires refuses an envelope that has expired (KindExpired) or would expire
// more than 30 days ahead (KindMalformed). A zero time means that it does not
// expire. Both bounds give way by groove.MaxSkew, which the clocks may differ.
func (w *Window) Expires(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	switch left := wall(t).Sub(wall(w.clock())); {
	case left < -groove.MaxSkew:
		return groove.Errorf("admit envelope", groove.KindExpired, "it expired at %s", t.UTC().Format(groove.TimeFormat))
	case left > Horizon+groove.MaxSkew:
		return groove.Errorf("admit envelope", groove.KindMalformed, "it expires more than 30 days ahead")
	}
	return nil
}

// ID refuses an id older than 30 days with KindExpired: whether it was seen
// before is not known any more. The age is what the UUIDv7 says (RFC 9562 §5.7).
func (w *Window) ID(id groove.MessageID) error {
	ms := int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
	if wall(w.clock()).Sub(time.UnixMilli(ms)) > Horizon {
		return groove.Errorf("admit envelope", groove.KindExpired, "its id is older than 30 days")
	}
	return nil
}

// Observe takes one measurement of the peer's clock: it said there between
// sent and received of this clock. For a hello, which answers nothing, sent is
// received. A measurement that took longer than groove.MaxSkew, or in which this
// clock was set back, says nothing and is left out.
func (w *Window) Observe(sent, there, received time.Time) {
	took := wall(received).Sub(wall(sent))
	if took < 0 || took > groove.MaxSkew {
		return
	}
	w.offset.Store(int64(wall(there).Sub(wall(sent).Add(took / 2))))
}

// Offset is how far the peer's clock is ahead of this one, by the last
// measurement; 0 before the first.
func (w *Window) Offset() time.Duration { return time.Duration(w.offset.Load()) }

// Skewed reports whether the clocks differ by more than groove.MaxSkew: the job pauses.
func (w *Window) Skewed() bool { return w.Offset().Abs() > groove.MaxSkew }

// wall drops the monotonic reading, which stands still while a machine sleeps.
func wall(t time.Time) time.Time { return t.Round(0) }

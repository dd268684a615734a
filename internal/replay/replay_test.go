package replay_test

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"groove/internal/groove"
	"groove/internal/replay"
)

var noon = time.Date(2026, 4, 12, 12, 0, 0, 0, time.UTC)

func at(t time.Time) *replay.Window { return replay.New(func() time.Time { return t }) }

func nonce(n uint64) (out [16]byte) {
	binary.BigEndian.PutUint64(out[8:], n)
	return out
}

func wantKind(t *testing.T, why string, err error, kind groove.Kind) {
	t.Helper()
	if got := groove.KindOf(err); got != kind {
		t.Errorf("%s: %v: kind %q, want %q", why, err, got, kind)
	}
}

// TestNonceOnceUnderAnyClock: no nonce is admitted twice under any clock walk.
func TestNonceOnceUnderAnyClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := noon
		w := replay.New(func() time.Time { return now })
		admitted := map[uint64]bool{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(-48, 48).Draw(t, "walk")) * time.Hour)
			n := rapid.Uint64Range(0, 60).Draw(t, "nonce")
			if err := w.Timestamp(now, groove.Stored); err != nil {
				t.Fatal(err)
			}
			w.Observe(now, now.Add(time.Hour), now)
			if err := w.Nonce(nonce(n)); (err == nil) == admitted[n] {
				t.Fatalf("nonce %d, admitted before: %v, now: %v", n, admitted[n], err)
			}
			admitted[n] = true
		}
	})
}

// TestRemembersExactly: the last 65,536 and no more, round after round.
func TestRemembersExactly(t *testing.T) {
	w := at(noon)
	const last = 2*replay.Remembered + 100
	for n := range uint64(last) {
		wantKind(t, "new", w.Nonce(nonce(n)), "")
	}
	for _, n := range []uint64{last - 1, last - replay.Remembered/2, last - replay.Remembered} {
		wantKind(t, "remembered", w.Nonce(nonce(n)), groove.KindReplayed)
	}
	wantKind(t, "forgotten: memory is bounded", w.Nonce(nonce(last-replay.Remembered-1)), "")
	wantKind(t, "the oldest made room", w.Nonce(nonce(last-replay.Remembered)), "")
}

// TestNoncesOfAnHourAgoAreForgotten: an idle connection that stands for weeks stays small.
func TestNoncesOfAnHourAgoAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := replay.New(time.Now)
		wantKind(t, "the first", w.Nonce(nonce(1)), "")
		<-time.After(59 * time.Minute)
		wantKind(t, "an hour is not over", w.Nonce(nonce(1)), groove.KindReplayed)
		<-time.After(2 * time.Minute)
		wantKind(t, "another makes it look", w.Nonce(nonce(2)), "")
		wantKind(t, "forgotten", w.Nonce(nonce(1)), "")
	})
}

func TestTimestamp(t *testing.T) {
	const ms = time.Millisecond
	for _, r := range []struct {
		why   string
		off   time.Duration
		class groove.TypeClass
		kind  groove.Kind
	}{
		{"in time", 0, groove.Stored, ""},
		{"5 minutes late", -groove.MaxSkew, groove.Stored, ""},
		{"5 minutes early", groove.MaxSkew, groove.Stored, ""},
		{"late", -groove.MaxSkew - ms, groove.Stored, groove.KindClockSkew},
		{"early", groove.MaxSkew + ms, groove.Stored, groove.KindClockSkew},
		{"6 minutes off", 6 * time.Minute, groove.Stored, groove.KindClockSkew},
		{"a receipt tells of stored mail whatever the clock", time.Hour, groove.Control, ""},
		{"a heartbeat measures the clock", -time.Hour, groove.Control, ""},
		{"a request", time.Hour, groove.Request, ""},
		{"a state", time.Hour, groove.State, ""},
	} {
		err := at(noon).Timestamp(noon.Add(r.off), r.class)
		wantKind(t, r.why, err, r.kind)
		if err != nil {
			e := groove.AsError(err)
			if !e.Here.Equal(noon) || !e.There.Equal(noon.Add(r.off)) || e.Fix == "" {
				t.Errorf("%s: here %v, there %v, fix %q", r.why, e.Here, e.There, e.Fix)
			}
		}
	}
}

func TestExpires(t *testing.T) {
	for _, r := range []struct {
		why  string
		at   time.Time
		kind groove.Kind
	}{
		{"never", time.Time{}, ""},
		{"in 7 days", noon.Add(7 * 24 * time.Hour), ""},
		{"in 30 days by a clock that is 5 minutes ahead", noon.Add(replay.Horizon + groove.MaxSkew), ""},
		{"further", noon.Add(replay.Horizon + groove.MaxSkew + 1), groove.KindMalformed},
		{"just expired by a clock that is behind", noon.Add(-groove.MaxSkew), ""},
		{"expired", noon.Add(-groove.MaxSkew - 1), groove.KindExpired},
	} {
		wantKind(t, r.why, at(noon).Expires(r.at), r.kind)
	}
}

func TestID(t *testing.T) {
	made := func(t time.Time) (id groove.MessageID) {
		var ms [8]byte
		binary.BigEndian.PutUint64(ms[:], uint64(t.UnixMilli()))
		copy(id[:6], ms[2:])
		id[6], id[8] = 0x70, 0x80
		return id
	}
	wantKind(t, "new", at(noon).ID(made(noon)), "")
	wantKind(t, "30 days", at(noon).ID(made(noon.Add(-replay.Horizon))), "")
	wantKind(t, "older: dedup has forgotten it", at(noon).ID(made(noon.Add(-replay.Horizon-time.Millisecond))), groove.KindExpired)
	wantKind(t, "made by a clock that is ahead", at(noon).ID(made(noon.Add(time.Hour))), "")
}

func TestObserve(t *testing.T) {
	sec := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	for _, r := range []struct {
		why                   string
		sent, there, received time.Time
		offset                time.Duration
		skewed                bool
	}{
		{"equal clocks, 2 s under way", sec(0), sec(1), sec(2), 0, false},
		{"ahead", sec(0), sec(301), sec(2), 5 * time.Minute, false},
		{"over 5 minutes ahead", sec(0), sec(302), sec(2), 301 * time.Second, true},
		{"over 5 minutes behind", sec(0), sec(-300), sec(2), -301 * time.Second, true},
		{"a hello", sec(5), sec(3), sec(5), -2 * time.Second, false},
		{"this clock was set back", sec(2), sec(900), sec(0), time.Minute, false},
		{"an echo of 6 minutes ago", sec(0), sec(900), sec(360), time.Minute, false},
	} {
		w := at(noon)
		if w.Offset() != 0 || w.Skewed() {
			t.Fatal("skewed before the first measurement")
		}
		w.Observe(sec(0), sec(60), sec(0)) // what stands if r says nothing
		w.Observe(r.sent, r.there, r.received)
		if w.Offset() != r.offset || w.Skewed() != r.skewed {
			t.Errorf("%s: %v %v", r.why, w.Offset(), w.Skewed())
		}
	}
}

func BenchmarkNonce(b *testing.B) {
	w := at(noon)
	n := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Nonce(nonce(n)); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

package federation_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// dns is what names resolve to; vps.example always does.
type dns struct {
	mu    sync.Mutex
	addrs map[string][]string // none: no answer
	ttl   time.Duration
	asked []string // the names, in order
	at    []time.Time
}

func (w *world) lookup(_ context.Context, host string) ([]netip.Addr, time.Duration, error) {
	w.dns.mu.Lock()
	defer w.dns.mu.Unlock()
	w.dns.asked, w.dns.at = append(w.dns.asked, host), append(w.dns.at, time.Now())
	var out []netip.Addr
	for _, a := range w.dns.addrs[host] {
		out = append(out, netip.MustParseAddr(a))
	}
	switch {
	case host == "vps.example":
		return []netip.Addr{netip.MustParseAddr("203.0.113.9")}, time.Hour, nil
	case out == nil:
		return nil, 0, os.ErrNotExist
	}
	return out, w.dns.ttl, nil
}

// points makes a name resolve to addrs, or to nothing.
func (w *world) points(host string, ttl time.Duration, addrs ...string) {
	w.dns.mu.Lock()
	defer w.dns.mu.Unlock()
	w.dns.addrs = map[string][]string{host: addrs}
	w.dns.ttl = ttl
}

// lookups returns how often names were asked for since it was last called, and forgets.
func (w *world) lookups() (n int, gaps []time.Duration) {
	w.dns.mu.Lock()
	defer w.dns.mu.Unlock()
	for i := 1; i < len(w.dns.at); i++ {
		gaps = append(gaps, w.dns.at[i].Sub(w.dns.at[i-1]).Round(time.Second))
	}
	n = len(w.dns.asked)
	w.dns.asked, w.dns.at = nil, nil
	return n, gaps
}

func (h *house) admits() string {
	prefixes, any := h.book.Sources()
	return fmt.Sprint(prefixes, any)
}

// changes counts how often those who ask for changes were told of other sources.
func (h *house) changes() *atomic.Int32 {
	var n atomic.Int32
	var mu sync.Mutex // changes are told by whoever made them
	last := h.admits()
	h.book.OnChange(func() {
		mu.Lock()
		defer mu.Unlock()
		if now := h.admits(); now != last {
			last = now
			n.Add(1)
		}
	})
	return &n
}

func TestNamesAreResolvedAgain(t *testing.T) {
	rows := []struct {
		why       string
		ttl, next time.Duration
	}{
		{"when their time ends", 10 * time.Minute, 10 * time.Minute},
		{"not every moment, whatever the answer says", time.Millisecond, 30 * time.Second},
		{"not in a week, whatever the answer says", 7 * 24 * time.Hour, time.Hour},
		{"after a minute where nobody says: the hosts file", 0, time.Minute},
	}
	for _, row := range rows {
		bubble(t, func(t *testing.T, w *world) {
			h := w.add("vps", "10.0.0.1")
			w.points("laptop.example", row.ttl, "192.0.2.1")
			changes := h.changes()
			h.put(peerOf(newKey(t), "laptop", "laptop.example:31416"))
			synctest.Wait()
			told := changes.Load() // of the first answer
			if got := h.admits(); got != "[192.0.2.1/32] false" || told < 1 {
				t.Errorf("%s: the gate admits %s after %d changes", row.why, got, told)
			}
			w.points("laptop.example", row.ttl, "2001:db8::7", "::ffff:192.0.2.2", "192.0.2.2")
			after(row.next - time.Second)
			if n, _ := w.lookups(); n != 1 {
				t.Errorf("%s: looked up %d times before", row.why, n)
			}
			after(time.Second)
			if got := h.admits(); got != "[192.0.2.2/32 2001:db8::7/128] false" || changes.Load() != told+1 {
				t.Errorf("%s: the gate admits %s after %d changes, and %d before", row.why, got, changes.Load(), told)
			}
			after(row.next)
			if changes.Load() != told+1 {
				t.Errorf("%s: told of an answer that did not change", row.why)
			}
		})
	}
}

func TestLastAnswerIsKeptForADay(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		w.points("laptop.example", time.Hour, "192.0.2.1")
		h.put(peerOf(newKey(t), "laptop", "laptop.example:31416"))
		synctest.Wait()
		w.points("laptop.example", 0)
		w.lookups()
		after(2 * time.Hour)
		_, gaps := w.lookups()
		want := []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute}
		if len(gaps) < len(want) || !slices.Equal(gaps[:len(want)], want) || gaps[len(gaps)-1] != 5*time.Minute {
			t.Errorf("tried again after %v, want %v and then every 5 minutes", gaps, want)
		}
		h.restart()
		synctest.Wait()
		if got := h.admits(); got != "[192.0.2.1/32] false" {
			t.Errorf("after a restart without an answer the gate admits %s", got)
		}
		after(22*time.Hour - time.Second)
		if got := h.admits(); got != "[192.0.2.1/32] false" {
			t.Errorf("within the day the gate admits %s", got)
		}
		changes := h.changes()
		after(time.Second)
		if got := h.admits(); got != "[] false" || changes.Load() != 1 {
			t.Errorf("after a day the gate admits %s, told of %d changes", got, changes.Load())
		}
		w.points("laptop.example", time.Hour, "192.0.2.3")
		after(5 * time.Minute)
		if got := h.admits(); got != "[192.0.2.3/32] false" || changes.Load() != 2 {
			t.Errorf("with an answer again the gate admits %s, told of %d changes", got, changes.Load())
		}
	})
}

func TestNoNamesNoLookups(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		h := w.add("vps", "10.0.0.1")
		w.points("laptop.example", time.Hour, "192.0.2.1")
		h.put(peerOf(newKey(t), "desk", "192.0.2.9:31416"))
		p := h.put(peerOf(newKey(t), "laptop", "laptop.example:31416"))
		after(90 * time.Minute)
		if n, _ := w.lookups(); n != 2 {
			t.Errorf("one name, one hour and a half: %d look-ups, want 2", n)
		}
		if _, err := h.book.Unpair(h.ctx, string(p.ID), nil); err != nil {
			t.Fatal(err)
		}
		after(24 * time.Hour)
		if n, _ := w.lookups(); n != 0 {
			t.Errorf("%d look-ups for nobody", n)
		}
		if got := h.admits(); got != "[192.0.2.9/32] false" {
			t.Errorf("the gate admits %s", got)
		}
	})
}

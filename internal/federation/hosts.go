package federation

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"groove/internal/groove"
	"groove/internal/store"
)

const (
	// lookupTime bounds one look-up of a host name.
	lookupTime = 5 * time.Second
	// An answer is looked up again when its time is over, within these bounds: neither
	// every moment, nor so late that a peer that moved waits for hours.
	leastTTL, mostTTL = 30 * time.Second, time.Hour
	// unsaidTTL is for answers without a time, those of the hosts file.
	unsaidTTL = time.Minute
	// A look-up that fails is tried again after firstRetry, doubling to lastRetry.
	firstRetry, lastRetry = 30 * time.Second, 5 * time.Minute
	// keepAnswer is how long the last answer stands for a name that does not resolve.
	keepAnswer = 24 * time.Hour
	// saveAnswer is how old the stored time of an answer may grow while it does not change.
	saveAnswer = 15 * time.Minute
)

// answer is what is known of one host name.
type answer struct {
	addrs []netip.Addr  // sorted; none: never resolved
	at    time.Time     // when addrs came
	saved time.Time     // at in the store
	due   time.Time     // the next look-up
	retry time.Duration // since the last failure; 0 after an answer
}

// holds reports whether the addresses still stand.
func (a answer) holds(now time.Time) bool {
	return len(a.addrs) > 0 && now.Before(a.at.Add(keepAnswer))
}

// late reports whether a look-up is due; also where the clock was set back.
func (a answer) late(now time.Time) bool { return !now.Before(a.due) || a.due.Sub(now) > mostTTL }

// hostCache keeps the last answer for each host name.
type hostCache struct {
	mu    sync.Mutex
	known map[string]answer
}

func (c *hostCache) get(host string) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[host]
}

func (c *hostCache) put(host string, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[host] = a
}

// loadHosts takes the answers of earlier runs; all are due.
func (b *Book) loadHosts(ctx context.Context) error {
	b.hosts.known = map[string]answer{}
	rows, err := b.opts.Store.Read().QueryContext(ctx, "SELECT host, addresses, at FROM host_answer")
	if err != nil {
		return groove.Wrap("read host names", groove.KindInternal, err)
	}
	defer rows.Close()
	for rows.Next() {
		var host, list string
		var at int64
		if err := rows.Scan(&host, &list, &at); err != nil {
			return groove.Wrap("read host names", groove.KindInternal, err)
		}
		a := answer{at: time.UnixMilli(at), saved: time.UnixMilli(at)}
		for text := range strings.FieldsSeq(list) {
			if ip, err := netip.ParseAddr(text); err == nil {
				a.addrs = append(a.addrs, ip)
			}
		}
		if a.at.After(b.opts.Clock()) { // the clock was set back: it must not hold for longer
			a.at = b.opts.Clock()
		}
		b.hosts.known[host] = a
	}
	return groove.Wrap("read host names", groove.KindInternal, rows.Err())
}

// names are the host names in what peers' addresses and gates say.
func (b *Book) names() []string {
	names := map[string]bool{}
	for _, p := range b.All() {
		for _, h := range hostsOf(p) {
			if _, ok := parsePrefix(h); !ok {
				names[h] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// dueHosts are the names to look up now, and when the next one will be due, zero without any.
func (b *Book) dueHosts() (due []string, next time.Time) {
	now := b.opts.Clock()
	for _, host := range b.names() {
		a := b.hosts.get(host)
		if a.late(now) {
			due = append(due, host)
		} else if next.IsZero() || a.due.Before(next) {
			next = a.due
		}
	}
	return due, next
}

// Resolve looks up the host names that are due and reports whether an answer changed;
// then OnChange has been called. The last answer stands for 24 h, also over a restart, while
// a name does not resolve.
func (b *Book) Resolve(ctx context.Context) bool {
	due, _ := b.dueHosts()
	changed := false
	for _, host := range due {
		changed = b.resolve(ctx, host) || changed
	}
	if changed {
		b.notify()
	}
	return changed
}

func (b *Book) resolve(ctx context.Context, host string) bool {
	asked, cancel := context.WithTimeout(ctx, lookupTime)
	addrs, ttl, err := b.opts.Lookup(asked, host)
	cancel()
	if ctx.Err() != nil {
		return false // a daemon that stops learns nothing
	}
	now := b.opts.Clock()
	a := b.hosts.get(host)
	if err != nil || len(addrs) == 0 {
		return b.unresolved(host, a, now, err)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap().WithZone("")
	}
	slices.SortFunc(addrs, netip.Addr.Compare)
	addrs = slices.Compact(addrs)
	changed := !slices.Equal(addrs, a.addrs)
	if ttl == 0 {
		ttl = unsaidTTL
	}
	a = answer{addrs: addrs, at: now, saved: a.saved, due: now.Add(min(max(ttl, leastTTL), mostTTL))}
	if changed || now.Sub(a.saved).Abs() >= saveAnswer {
		a.saved = now
		b.saveHost(ctx, host, a)
	}
	b.hosts.put(host, a)
	if changed {
		b.opts.Log.Info("host name resolved", "host", host, "addresses", addrs)
	}
	return changed
}

// unresolved keeps the last answer, until it is too old.
func (b *Book) unresolved(host string, a answer, now time.Time, why error) bool {
	if a.retry == 0 {
		b.opts.Log.Warn("host name not resolved", "host", host, "kept", a.addrs, "err", why)
	}
	a.retry = min(max(2*a.retry, firstRetry), lastRetry)
	a.due = now.Add(a.retry)
	gone := len(a.addrs) > 0 && !a.holds(now)
	if gone {
		b.opts.Log.Warn("host name forgotten: no answer for a day", "host", host, "addresses", a.addrs)
		a.addrs = nil
	} else if end := a.at.Add(keepAnswer); len(a.addrs) > 0 && end.Before(a.due) {
		a.due = end
	}
	b.hosts.put(host, a)
	return gone
}

// saveHost is for the next start; what cannot be saved is looked up again.
func (b *Book) saveHost(ctx context.Context, host string, a answer) {
	list := make([]string, len(a.addrs))
	for i, ip := range a.addrs {
		list[i] = ip.String()
	}
	err := b.opts.Store.Do(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec("DELETE FROM host_answer WHERE at < ?", a.at.Add(-keepAnswer).UnixMilli()); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT OR REPLACE INTO host_answer(host, addresses, at) VALUES(?,?,?)", host, strings.Join(list, " "), a.at.UnixMilli())
		return err
	})
	if err != nil && ctx.Err() == nil {
		b.opts.Log.Error("host name not saved", "host", host, "kind", groove.KindOf(err), "err", err)
	}
}

// Hosts returns the last answer for a host name, none where it is too old or there was none.
func (b *Book) Hosts(host string) []netip.Addr {
	if a := b.hosts.get(host); a.holds(b.opts.Clock()) {
		return a.addrs
	}
	return nil
}

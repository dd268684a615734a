package bridge

import (
	"fmt"
	"sync"
	"time"

	"groove/internal/clock"
	"groove/internal/groove"
)

// What looks like a peer that has gone wrong (docs/protocol.md §8).
const (
	spikeFactor   = 5  // times the mean of ten minutes
	refusalsMost  = 20 // refusals in a minute
	errorsMost    = 3  // protocol errors
	errorsWithin  = 10 * time.Minute
	slotTime      = 10 * time.Second
	slotsOfMinute = int64(time.Minute / slotTime)
	slotsOfMean   = 10 * slotsOfMinute
)

// meter counts what one peer sends on one leg, to notice a spike. now is clock.Mono. It is
// safe for concurrent use.
type meter struct {
	mu       sync.Mutex
	arrived  counts
	refused  counts
	errorsAt []time.Duration
	calm     time.Duration // nothing is judged before: the user has just said that the job goes on
}

// counts holds eleven minutes in slots of ten seconds: the last minute, and the ten before.
type counts struct {
	slots [slotsOfMinute + slotsOfMean]uint32
	last  int64 // number of the newest slot
}

func (c *counts) add(now time.Duration) {
	slot := int64(now / slotTime)
	for n := max(c.last+1, slot-int64(len(c.slots))+1); n <= slot; n++ {
		c.slots[n%int64(len(c.slots))] = 0
	}
	c.last = max(c.last, slot)
	c.slots[c.last%int64(len(c.slots))]++
}

// minute is what came in the last minute; mean is what came in a minute of the ten before.
func (c *counts) minute() (last, mean float64) {
	for i := range int64(len(c.slots)) {
		n := c.last - i
		if n < 0 {
			break
		}
		v := float64(c.slots[n%int64(len(c.slots))])
		if i < slotsOfMinute {
			last += v
		} else {
			mean += v
		}
	}
	return last, mean / float64(slotsOfMean/slotsOfMinute)
}

// arrive counts a message and says what is wrong, "" for nothing: over five times the
// mean of ten minutes, and over half of what the rate lets through in a minute.
func (m *meter) arrive(now time.Duration, perMin int64) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.arrived.add(now)
	last, mean := m.arrived.minute()
	if now >= m.calm && last > spikeFactor*mean && last > float64(perMin)/2 {
		return fmt.Sprintf("%.0f messages in a minute, %.1f were usual", last, mean)
	}
	return ""
}

// refuse counts a refusal and says what is wrong, "" for nothing.
func (m *meter) refuse(now time.Duration) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused.add(now)
	if last, _ := m.refused.minute(); now >= m.calm && last >= refusalsMost {
		return fmt.Sprintf("%.0f messages in a minute were refused", last)
	}
	return ""
}

// protocolError counts a connection that ended by one and says what is wrong, "" for nothing.
func (m *meter) protocolError(now time.Duration) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.errorsAt[:0]
	for _, at := range m.errorsAt {
		if now-at < errorsWithin {
			kept = append(kept, at)
		}
	}
	if m.errorsAt = append(kept, now); now >= m.calm && len(m.errorsAt) >= errorsMost {
		return fmt.Sprintf("%d connections ended by protocol errors within 10 minutes", len(m.errorsAt))
	}
	return ""
}

// goOn judges nothing for as long as a mean takes: the user has said that the job goes on.
func (m *meter) goOn(now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused, m.errorsAt, m.calm = counts{}, nil, now+errorsWithin
}

// noticed counts what was accepted or refused, and pauses the job when that looks like
// a peer that has gone wrong. It runs after the commit, in the store's writer.
func (k *link) noticed(c *checked) {
	l := k.leg
	perMin := k.ratePerMinute()
	if perMin == 0 || l.isPeerLeg() || c.free {
		return
	}
	why := ""
	switch {
	case c.refusal == nil:
		why = l.meter.arrive(clock.Mono(), perMin)
	case c.refusal.Kind.Class() != groove.Retry: // what is to come again is the sender's to wait for
		why = l.meter.refuse(clock.Mono())
	}
	if row, _ := l.snapshot(); why != "" && row.pauseHere == "" && row.state != groove.LegClosed {
		l.b.later(func() { l.pauseLogged(pauseSpike, why) })
	}
}

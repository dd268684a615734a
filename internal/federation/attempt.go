package federation

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"groove/internal/groove"
)

const (
	// armTime is how long an address is armed, and then how long its words may be
	// looked at (docs/protocol.md §9).
	armTime = 5 * time.Minute
	// disarmAt is how many failures end an arming.
	disarmAt = 3
	// maxArmed bounds the addresses that are armed at one time.
	maxArmed = 16
	// endedTime is how long it is told how an arming ended.
	endedTime = 10 * time.Minute
	// DefaultPort is where daemons listen for each other.
	DefaultPort = "31416"
)

// ArmState is how far a pairing with five words is on this side.
type ArmState string

// The states of an arming.
const (
	ArmDialling ArmState = "dialling" // the other machine has not been met, or has to be met again
	ArmWords    ArmState = "words"    // this user is asked whether the words are the same
	ArmWaiting  ArmState = "waiting"  // this user said yes; the other's word is awaited
	ArmPaired   ArmState = "paired"
	ArmFailed   ArmState = "failed"
)

// Armed is an arming as its user sees it.
type Armed struct {
	ID       string // 8 letters
	Address  string // host:port
	State    ArmState
	Words    string          // five, with spaces between; in ArmWords and ArmWaiting
	Peer     groove.DaemonID // who answers there; "" while nobody does
	Name     string          // what it calls itself: a peer's text
	Question string          // ID of the question that Ask put, in ArmWords
	Until    time.Time       // when this state ends by itself
	Failures int
	Err      error // why it failed; before that, why it is not further, if known
}

// attempt is one arming. Its members belong to Pairing.mu.
type attempt struct {
	pk       int64
	id       string
	address  string
	mine     bool
	name     string
	until    time.Time
	failures int

	sources []netip.Prefix // what the address stands for
	table   *conversation  // whose words are on the table
	peer    groove.DaemonID
	said    []byte      // the transcript that this user said yes to; nil: none
	heard   groove.Kind // with what the peer undid that; "": by a no
	why     *groove.Error
	ended   ArmState // "" while it goes on
	endedAt time.Time

	calling bool          // its goroutine runs
	wake    chan struct{} // it has something to look at
	dirty   bool          // the row is not as the members are
}

// state is where the attempt stands: it follows from the members.
func (a *attempt) state() ArmState {
	switch {
	case a.ended != "":
		return a.ended
	case a.said != nil:
		return ArmWaiting
	case a.table != nil:
		return ArmWords
	}
	return ArmDialling
}

// deadline is when the attempt ends if nothing happens; after a yes its pairing's
// own deadline counts.
func (a *attempt) deadline() (at time.Time, ok bool) {
	switch a.state() {
	case ArmWords:
		return a.table.until, true
	case ArmDialling:
		return a.until, true
	}
	return time.Time{}, false
}

// open is until when the gate admits its sources.
func (a *attempt) open() time.Time {
	if a.table != nil && a.table.until.After(a.until) {
		return a.table.until
	}
	return a.until
}

func (a *attempt) view() Armed {
	v := Armed{ID: a.id, Address: a.address, State: a.state(), Peer: a.peer, Until: a.until, Failures: a.failures}
	if a.table != nil && a.ended == "" {
		v.Words, v.Peer, v.Name, v.Until = a.table.words, a.table.id, a.table.who.Name, a.table.until
		if v.State == ArmWords {
			v.Question = a.table.question
		}
	}
	if a.why != nil && v.State != ArmPaired {
		v.Err = a.why
	}
	return v
}

func (a *attempt) poke() {
	select {
	case a.wake <- struct{}{}:
	default: // it is awake
	}
}

// end is for good.
func (a *attempt) end(state ArmState, why *groove.Error, now time.Time) {
	a.ended, a.endedAt, a.why, a.table, a.said, a.dirty = state, now, why, nil, nil, true
	a.poke()
}

// back lets the attempt go on after words that led to nothing, or ends it: three
// failures, or no time left. counts says whether this is one of the three.
func (a *attempt) back(why *groove.Error, counts bool, now time.Time) {
	a.table, a.said, a.heard, a.why, a.dirty = nil, nil, "", why, true
	if counts {
		a.failures++
	}
	if a.failures >= disarmAt || !now.Before(a.until) {
		a.end(ArmFailed, why, now)
	}
	a.poke()
}

// targetOf reads the address that a user typed: a host name or IP, with or without
// port and brackets. It fails with KindInvalid.
func targetOf(s string) (string, error) {
	s = strings.TrimSpace(s)
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), DefaultPort
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Zone() == "" {
		host = ip.Unmap().String()
	}
	address := net.JoinHostPort(strings.ToLower(host), port)
	if err := checkAddress(address); err != nil {
		return "", groove.Errorf("pair", groove.KindInvalid, "%.80q is no host:port of a daemon", s).
			WithFix("groove federation pair HOST, or HOST:PORT where its bridge port is not " + DefaultPort)
	}
	return address, nil
}

// follow brings the attempts to what the rows say of the words that this user
// confirmed. It runs after each change of the book.
func (p *Pairing) follow() {
	now := p.opts.Clock()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.attempts {
		if a.ended != "" {
			continue
		}
		g, open := p.book.pairing(a.peer)
		if c := a.table; c != nil && a.said == nil && open && bytes.Equal(g.transcript, c.saw) {
			if g.mine == no {
				a.back(declinedError(), true, now)
				continue
			}
			a.said = c.saw
		}
		if a.said == nil {
			continue
		}
		_, active := p.book.ByID(a.peer)
		mine := open && bytes.Equal(g.transcript, a.said)
		switch {
		case mine && g.mine == yes && g.theirs == yes && active, !mine && active:
			a.end(ArmPaired, nil, now)
		case mine && g.mine == yes && g.theirs != no:
			// Their word is awaited.
		case mine && g.expired(now), mine && g.mine == no && g.theirs == unsaid && !now.Before(g.until), !mine:
			a.end(ArmFailed, expiredError(), now)
		default:
			why := a.heard
			if why == "" {
				why = groove.KindPairWordsDiffer
			}
			a.back(refusedBy(why), why == groove.KindPairWordsDiffer, now)
		}
	}
}

func declinedError() *groove.Error {
	return groove.Errorf("pair", groove.KindPairWordsDiffer, "you said that the words differ: somebody may stand between the two machines").
		WithFix("check the address, and pair again")
}

func expiredError() *groove.Error {
	return groove.Errorf("pair", groove.KindPairExpired, "both yeses did not come in time").
		WithFix("groove federation pair ADDRESS, on both machines within 5 minutes")
}

// live returns the attempts that go on. Callers hold p.mu.
func (p *Pairing) live() []*attempt {
	return slices.DeleteFunc(slices.Clone(p.attempts), func(a *attempt) bool { return a.ended != "" })
}

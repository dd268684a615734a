package api

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"groove/internal/groove"
)

const (
	// codeTime is how long a code of groove open is good, ticketTime a ticket: the time
	// that a browser takes to start, and a page to open its socket.
	codeTime, ticketTime = 30 * time.Second, 30 * time.Second
	// sessionIdle is how long a browser's bearer lives without a request.
	sessionIdle = 12 * time.Hour
	// Each kind of key is bounded: the oldest gives way.
	maxCodes, maxSessions, maxTickets = 16, 64, 512
)

// keys are the secrets of the user's browsers. Only hashes are kept. It is safe for
// concurrent use.
type keys struct {
	clock    groove.Clock
	mu       sync.Mutex
	file     string    // keeps the sessions; "" = they end with the daemon
	saved    time.Time // when it was last written
	codes    ring
	sessions ring
	tickets  ring
}

// ring is a bounded set of hashes with the time at which each ends.
type ring struct {
	most int
	ends map[[32]byte]time.Time
}

func newKeys(clock groove.Clock) *keys {
	return &keys{clock: clock, codes: ring{maxCodes, map[[32]byte]time.Time{}},
		sessions: ring{maxSessions, map[[32]byte]time.Time{}}, tickets: ring{maxTickets, map[[32]byte]time.Time{}}}
}

// draw makes a secret of 160 bits that lives for span, and says when it ends.
func (k *keys) draw(r *ring, span time.Duration) (string, time.Time) {
	var raw [20]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	secret, now := groove.B64.EncodeToString(raw[:]), k.clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	r.add(sha256.Sum256([]byte(secret)), now, now.Add(span))
	if r == &k.sessions {
		k.save()
	}
	return secret, now.Add(span)
}

func (r *ring) add(sum [32]byte, now, end time.Time) {
	var first [32]byte
	for s, e := range r.ends {
		if !now.Before(e) {
			delete(r.ends, s)
		} else if at, ok := r.ends[first]; !ok || e.Before(at) {
			first = s
		}
	}
	if len(r.ends) >= r.most {
		delete(r.ends, first)
	}
	r.ends[sum] = end
}

// spend reports whether the secret was good, and ends it.
func (k *keys) spend(r *ring, secret string) bool {
	sum, now := sha256.Sum256([]byte(secret)), k.clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	end, ok := r.ends[sum]
	delete(r.ends, sum)
	return ok && now.Before(end)
}

// session reports whether the bearer is a browser's, and lets it live on.
func (k *keys) session(bearer string) bool {
	sum, now := sha256.Sum256([]byte(bearer)), k.clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	end, ok := k.sessions.ends[sum]
	if !ok || !now.Before(end) {
		return false
	}
	k.sessions.ends[sum] = now.Add(sessionIdle)
	if now.Sub(k.saved) >= saveEvery {
		k.save()
	}
	return true
}

// end ends one session, "" all of them and what could begin one, and reports whether
// there was any.
func (k *keys) end(bearer string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.save()
	if bearer == "" {
		any := len(k.sessions.ends) > 0
		clear(k.sessions.ends)
		clear(k.codes.ends)
		clear(k.tickets.ends)
		return any
	}
	sum := sha256.Sum256([]byte(bearer))
	_, ok := k.sessions.ends[sum]
	delete(k.sessions.ends, sum)
	return ok
}

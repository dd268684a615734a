package api

import (
	"testing"
	"time"

	"groove/internal/groove"
)

// Hasten shortens what slow clients are given.
func (s *Server) Hasten(d time.Duration) { s.handler.bodyTime, s.handler.writeTime = d, d }

// KeysForTest are the keys of a daemon's browsers.
type KeysForTest struct{ k *keys }

// NewKeysForTest reads what file keeps.
func NewKeysForTest(t testing.TB, file string, clock groove.Clock) *KeysForTest {
	k := newKeys(clock)
	if err := k.load(file); err != nil {
		t.Fatal(err)
	}
	return &KeysForTest{k}
}

// Begin makes a bearer, Good asks whether it is one, End ends it.
func (k *KeysForTest) Begin() string {
	bearer, _ := k.k.draw(&k.k.sessions, sessionIdle)
	return bearer
}
func (k *KeysForTest) Good(bearer string) bool { return k.k.session(bearer) }
func (k *KeysForTest) End(bearer string)       { k.k.end(bearer) }

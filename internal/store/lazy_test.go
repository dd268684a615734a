package store_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/store"
)

// lazyTime is the time that Lazy promises.
const lazyTime = 50 * time.Millisecond

func TestLazyRunsWithinItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := fresh(t)
		start := time.Now()
		var ran time.Duration
		done := make(chan struct{})
		st.Lazy(func(tx *store.Tx) error {
			tx.AfterCommit(func() { ran = time.Since(start); close(done) })
			return insert(1)(tx)
		})
		<-done
		if ran == 0 || ran > lazyTime {
			t.Errorf("committed after %v, want it to wait for company, and %v at most", ran, lazyTime)
		}
		wantNotes(t, st, 1)
	})
}

func TestLazyRidesOnTheNextCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := fresh(t)
		c := &counter{}
		st.SetTrailer(c)
		start := time.Now()
		st.Lazy(insert(1))
		synctest.Wait()
		do(t, st, insert(2))
		if time.Since(start) != 0 {
			t.Error("the clock moved: nothing was ridden on")
		}
		wantNotes(t, st, 1, 2)
		<-time.After(2 * lazyTime) // the bubble's clock: the old deadline passes and finds nothing to do
		synctest.Wait()
		if c.commits != 1 {
			t.Errorf("%d commits, want 1", c.commits)
		}
		st.Lazy(insert(3)) // and the next one gets a time of its own
		<-time.After(lazyTime)
		synctest.Wait()
		wantNotes(t, st, 1, 2, 3)
	})
}

// TestRideWaitsForCompany: at most a second, and what is lazy does not wait for it.
func TestRideWaitsForCompany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := fresh(t)
		c := &counter{}
		st.SetTrailer(c)
		st.Ride(insert(1))
		<-time.After(500 * time.Millisecond)
		st.Ride(insert(2))
		synctest.Wait()
		c.mu.Lock() // the writer goes on after this
		early := c.commits
		c.mu.Unlock()
		if early != 0 {
			t.Error("committed without company after half a second")
		}
		<-time.After(500 * time.Millisecond)
		synctest.Wait()
		wantNotes(t, st, 1, 2)
		st.Ride(insert(3))
		st.Lazy(insert(4))
		<-time.After(lazyTime)
		synctest.Wait()
		wantNotes(t, st, 1, 2, 3, 4)
		<-time.After(2 * time.Second)
		synctest.Wait()
		if c.commits != 2 {
			t.Errorf("%d commits, want 2: the ride's time passes and finds nothing to do", c.commits)
		}
	})
}

func TestLazyNeverBlocksTheWriter(t *testing.T) {
	st := fresh(t)
	const many = 5000 // more than are kept waiting, from inside the writer itself
	do(t, st, func(*store.Tx) error {
		for n := range many {
			st.Lazy(insert(n))
		}
		return nil
	})
	do(t, st, insert(many))
	if got := len(notes(t, st)); got != many+1 {
		t.Errorf("%d rows, want %d", got, many+1)
	}
}

func TestAFailedLazyIsLogged(t *testing.T) {
	var log bytes.Buffer
	st := open(t, filepath.Join(t.TempDir(), "groove.db"), &log)
	do(t, st, insert(1))
	st.Lazy(insert(1))
	do(t, st, insert(2)) // it rides here
	do(t, st, insert(3)) // and its failure is told before the next transaction
	if !strings.Contains(log.String(), "lazy write failed") {
		t.Errorf("log: %s", log.String())
	}
}

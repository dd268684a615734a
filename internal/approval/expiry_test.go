package approval_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/approval"
	"groove/internal/groove"
	"groove/internal/store"
)

func permission(ref string, expires time.Duration) approval.Question {
	return approval.Question{Kind: approval.Permission, Ref: ref, Title: "May I?", Expires: expires}
}

// effects keeps what the handler was told, in order.
type effects struct{ list []string }

func (e *effects) handle(_ *store.Tx, a approval.Approval) error {
	e.list = append(e.list, a.Ref+" "+string(a.State))
	return nil
}

func (e *effects) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if len(e.list) != len(want) {
		t.Fatalf("effects %q, want %q", e.list, want)
	}
	for i := range want {
		if e.list[i] != want[i] {
			t.Fatalf("effects %q, want %q", e.list, want)
		}
	}
}

func TestSilenceIsANo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, e := fresh(t), &effects{}
		q.Handle(approval.Permission, e.handle)
		q.run()
		start := time.Now()
		late := q.ask(t, permission("late", time.Hour))
		soon := q.ask(t, permission("soon", time.Minute)) // asked later, due first: the timer moves forward
		answered := q.ask(t, permission("answered", 2*time.Minute))
		if _, err := q.Answer(context.Background(), answered, true, ""); err != nil {
			t.Fatal(err)
		}
		a, err := q.Wait(context.Background(), soon)
		if err != nil || a.State != approval.StateExpired || a.Yes() || time.Since(start) != time.Minute {
			t.Errorf("%+v after %v: %v", a, time.Since(start), err)
		}
		q.want(t, late, approval.StateOpen)
		_, err = q.Answer(context.Background(), soon, true, "")
		wantKind(t, err, groove.KindApprovalExpired)
		if a, err := q.Wait(context.Background(), late); err != nil || a.State != approval.StateExpired || time.Since(start) != time.Hour {
			t.Errorf("%+v after %v: %v", a, time.Since(start), err)
		}
		e.want(t, "answered approved", "soon expired", "late expired")
		q.close()
	})
}

func TestWhatExpiredWhileNoDaemonRan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "groove.db")
		q := newQueue(t, path, nil)
		gone, kept := q.ask(t, permission("gone", time.Minute)), q.ask(t, permission("kept", time.Hour))
		q.close()
		<-time.After(10 * time.Minute)

		again, e := newQueue(t, path, nil), &effects{}
		again.Handle(approval.Permission, e.handle)
		again.run()
		e.want(t, "gone expired")
		again.want(t, gone, approval.StateExpired)
		again.want(t, kept, approval.StateOpen)
		if _, err := again.Answer(context.Background(), kept, true, ""); err != nil {
			t.Error(err)
		}
		e.want(t, "gone expired", "kept approved")
		again.close()
	})
}

// Two questions are due at once and the first one's end makes the second moot: it
// must not expire on top.
func TestWhatBecameMootDoesNotExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, e := fresh(t), &effects{}
		q.Handle(approval.JobProposed, func(tx *store.Tx, a approval.Approval) error {
			return errors.Join(e.handle(tx, a), q.Withdraw(tx, approval.MessageHeld, "m"))
		})
		q.Handle(approval.MessageHeld, e.handle)
		q.run()
		first := q.ask(t, approval.Question{Kind: approval.JobProposed, Ref: "j", Title: "t", Expires: time.Minute})
		second := q.ask(t, approval.Question{Kind: approval.MessageHeld, Ref: "m", Title: "t", Expires: time.Minute})
		if _, err := q.Wait(context.Background(), first); err != nil {
			t.Error(err)
		}
		e.want(t, "j expired")
		q.want(t, second, approval.StateWithdrawn)
		q.close()
	})
}

// A machine that slept has timers that are late: the clock alone must decide.
func TestAnAnswerAfterTheDeadlineIsTooLateWithoutATimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, e := fresh(t), &effects{}
		q.Handle(approval.Permission, e.handle)
		id := q.ask(t, permission("1", time.Minute)) // Run does not run
		<-time.After(time.Minute)
		_, err := q.Answer(context.Background(), id, true, "")
		wantKind(t, err, groove.KindApprovalExpired)
		q.want(t, id, approval.StateExpired)
		e.want(t, "1 expired")
		q.close()
	})
}

func TestAnExpiryThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := fresh(t)
		tries, others := 0, &effects{}
		start := time.Now()
		q.Handle("bad", func(*store.Tx, approval.Approval) error {
			if tries++; time.Since(start) < 2*time.Minute {
				return errors.New("not now")
			}
			return nil
		})
		q.Handle(approval.Permission, others.handle)
		q.run()
		bad := q.ask(t, approval.Question{Kind: "bad", Ref: "1", Title: "t", Expires: time.Minute})
		q.ask(t, permission("good", time.Minute))
		if _, err := q.Wait(context.Background(), bad); err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); tries > 10 || waited < 2*time.Minute || waited > 5*time.Minute {
			t.Errorf("%d tries in %v: want it neither given up nor hammered", tries, waited)
		}
		others.want(t, "good expired")
		q.close()
	})
}

// The same machine as it wakes: nobody answers, and the question must not stay open.
func TestSleepExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, e := fresh(t), &effects{}
		var slept atomic.Int64
		q.Clock = func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
		q.Handle(approval.Permission, e.handle)
		q.run()
		q.ask(t, permission("1", time.Hour))
		synctest.Wait()
		slept.Store(int64(time.Hour))
		q.ClockMoved()
		e.want(t, "1 expired")
		q.close()
	})
}

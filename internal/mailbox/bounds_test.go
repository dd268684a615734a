package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/store"

	"pgregory.net/rapid"
)

// small keeps three messages, or 100 bytes, waiting.
func small(o *mailbox.Options) {
	o.Inbox, o.Outbox = mailbox.Limit{Messages: 3, Bytes: 100}, mailbox.Limit{Messages: 3, Bytes: 100}
}

func (b *box) try(fn func(*store.Tx) error) error { return b.store.Do(context.Background(), fn) }

// doors says how a letter gets in: from a peer, held or not, or from an agent here.
var doors = map[string]func(*box, string) error{
	"from a peer": func(b *box, text string) error {
		return b.try(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, envelope(newID(), text), false); return err })
	},
	"from a peer, held": func(b *box, text string) error {
		return b.try(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, envelope(newID(), text), true); return err })
	},
	"from here": func(b *box, text string) error {
		return b.try(func(tx *store.Tx) error {
			_, err := b.Put(tx, groove.Draft{From: "docs", To: "front", Message: groove.Message{Text: text}})
			return err
		})
	},
}

func (b *box) rows(query string, args ...any) (n int) {
	b.t.Helper()
	if err := b.store.Read().QueryRow(query, args...).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestFullInboxRefusesForNow(t *testing.T) {
	for name, put := range doors {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, t.TempDir(), small)
			defer b.close()
			for range 3 {
				if err := put(b, "x"); err != nil {
					t.Fatalf("below the bound: %v", err)
				}
			}
			err := put(b, "x")
			if e := groove.AsError(err); e.Kind != groove.KindInboxFull || e.RetryAfter != 5*time.Second || e.Fix == "" {
				t.Errorf("one over the bound: %+v", err)
			}
			if n := b.rows("SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM inbox_body) + (SELECT count(*) FROM seen WHERE rank = 6)"); n != 6 {
				t.Errorf("a refusal left rows: %d, want 6", n)
			}
			other := envelope(newID(), "x")
			other.To.Agent = "ops"
			b.do(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, other, false); return err }) // another's inbox has room
		})
	}
}

func TestBytesFillAnInbox(t *testing.T) {
	b := newBox(t, t.TempDir(), small)
	defer b.close()
	if err := doors["from a peer"](b, strings.Repeat("x", 70)); err != nil {
		t.Fatal(err)
	}
	if err := doors["from a peer"](b, "more than 20 bytes"); groove.KindOf(err) != groove.KindInboxFull {
		t.Errorf("101 bytes and more: %v", err)
	}
	if err := doors["from a peer"](b, "x"); err != nil {
		t.Errorf("below 100 bytes: %v", err)
	}
}

// TestUserIsNeverFull: nothing that is written to the user is ever taken from an inbox.
func TestUserIsNeverFull(t *testing.T) {
	b := newBox(t, t.TempDir(), small)
	defer b.close()
	for range 5 {
		b.do(func(tx *store.Tx) error {
			_, err := b.Put(tx, groove.Draft{From: "front", To: groove.User, Message: groove.Message{Text: "x"}})
			return err
		})
	}
}

// TestRoomComesAgain: each way in which a letter stops waiting makes room for one, and the
// ways in which it does not make none.
func TestRoomComesAgain(t *testing.T) {
	mark := func(states ...groove.InboxState) func(*box, []groove.Letter) {
		return func(b *box, l []groove.Letter) {
			for _, s := range states {
				b.do(func(tx *store.Tx) error { return b.Mark(tx, []int64{l[0].Pos}, s, 7) })
			}
		}
	}
	reply := func(b *box, l []groove.Letter) {
		b.do(func(tx *store.Tx) error {
			_, err := b.Queue(tx, 1, mailbox.Item{Type: groove.TypeMessage, From: "front", To: "back", ReplyTo: l[0].ID, Payload: []byte(`{"text":"a"}`)})
			return err
		})
	}
	give := func(b *box, l []groove.Letter) {
		b.do(func(tx *store.Tx) error { return b.Return(tx, []int64{l[0].Pos}, false) })
	}
	for _, c := range []struct {
		name string
		room int
		do   []func(*box, []groove.Letter)
	}{
		{"given to a turn, not taken yet", 0, []func(*box, []groove.Letter){mark(groove.InDelivering)}},
		{"delivered", 1, []func(*box, []groove.Letter){mark(groove.InDelivering, groove.InDelivered)}},
		{"delivered, then started: counted once", 1, []func(*box, []groove.Letter){mark(groove.InDelivering, groove.InDelivered, groove.InStarted)}},
		{"read by a tool", 1, []func(*box, []groove.Letter){mark(groove.InStarted)}},
		{"the turn did not begin", 0, []func(*box, []groove.Letter){mark(groove.InDelivering), give}},
		{"the turn did not begin, after the prompt was written", 0, []func(*box, []groove.Letter){mark(groove.InDelivering, groove.InDelivered), give}},
		{"answered unread", 1, []func(*box, []groove.Letter){reply}},
		{"answered after it was read: counted once", 1, []func(*box, []groove.Letter){mark(groove.InStarted), reply}},
		{"the agent was ended", 3, []func(*box, []groove.Letter){func(b *box, _ []groove.Letter) {
			b.do(func(tx *store.Tx) error { return b.Refuse(tx, "front", groove.KindAgentExited) })
		}}},
		{"the peer was unpaired", 3, []func(*box, []groove.Letter){func(b *box, _ []groove.Letter) {
			b.do(func(tx *store.Tx) error { return b.Quarantine(tx, 1) })
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBox(t, t.TempDir(), small)
			defer b.close()
			for range 3 {
				if err := doors["from a peer"](b, "x"); err != nil {
					t.Fatal(err)
				}
			}
			letters, err := b.Waiting(context.Background(), "front", 10, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, do := range c.do {
				do(b, letters)
			}
			for i := range c.room {
				if err := doors["from a peer"](b, "x"); err != nil {
					t.Errorf("of %d that had room, the %d. was refused: %v", c.room, i+1, err)
				}
			}
			if err := doors["from a peer"](b, "x"); groove.KindOf(err) != groove.KindInboxFull {
				t.Errorf("after %d there is still room: %v", c.room, err)
			}
		})
	}
}

func TestHeldLetterCountsUntilItIsRefused(t *testing.T) {
	for _, yes := range []bool{true, false} {
		b := newBox(t, t.TempDir(), small)
		defer b.close()
		var pos int64
		b.do(func(tx *store.Tx) (err error) {
			for range 3 {
				_, pos, err = b.Accept(tx, 1, envelope(newID(), "x"), true)
			}
			return err
		})
		b.do(func(tx *store.Tx) error { return b.Release(tx, pos, yes, groove.KindDenied) })
		if err := doors["from a peer"](b, "x"); (err == nil) == yes {
			t.Errorf("released with %v, the next one: %v", yes, err)
		}
	}
}

func (b *box) tryQueue(leg int64) (id groove.MessageID, err error) {
	err = b.try(func(tx *store.Tx) (err error) {
		id, err = b.Queue(tx, leg, mailbox.Item{Type: groove.TypeMessage, From: "front", To: "back", Payload: []byte(`{"text":"x"}`)})
		return err
	})
	return id, err
}

func TestFullOutboxRefuses(t *testing.T) {
	b := newBox(t, t.TempDir(), small)
	defer b.close()
	var ids []groove.MessageID
	for range 3 {
		ids = append(ids, b.queue("front", "back", "x"))
	}
	_, err := b.tryQueue(1)
	if groove.KindOf(err) != groove.KindOutboxFull || !strings.Contains(err.Error(), "vps") || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("one over the bound: %v", err)
	}
	b.do(func(tx *store.Tx) error { // the job's own business always finds room
		_, err := b.Queue(tx, 1, mailbox.Item{Type: groove.TypeJobUpdate, Payload: []byte(`{"action":"resume"}`)})
		return err
	})
	for _, c := range []struct {
		name string
		do   func()
		room bool
	}{
		{"held over there: it still waits", func() { b.receipts(groove.Receipt{N: 1, ID: ids[0].String(), State: groove.ReceiptHeld}) }, false},
		{"stored, after it was held", func() { b.receipts(groove.Receipt{N: 2, ID: ids[0].String(), State: groove.ReceiptStored}) }, true},
		{"delivered: it has left already", func() { b.receipts(groove.Receipt{N: 3, ID: ids[0].String(), State: groove.ReceiptDelivered}) }, false},
		{"stored", func() { b.receipts(groove.Receipt{N: 4, ID: ids[1].String(), State: groove.ReceiptStored}) }, true},
		{"refused for now: it still waits", func() {
			b.receipts(groove.Receipt{ID: ids[2].String(), State: groove.ReceiptRefused, Kind: groove.KindInboxFull, RetryAfter: 5000})
		}, false},
		{"refused", func() {
			b.receipts(groove.Receipt{N: 5, ID: ids[2].String(), State: groove.ReceiptRefused, Kind: groove.KindDenied})
		}, true},
		{"cancelled", func() {
			if err := b.Cancel(context.Background(), ids[3]); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"expired", func() {
			b.pass(mailbox.DefaultExpiry + time.Second)
			if err := b.Start(context.Background()); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"the leg's messages were cancelled", func() {
			b.do(func(tx *store.Tx) error { _, err := b.CancelLeg(tx, 1, "unpaired"); return err })
		}, true},
	} {
		c.do()
		id, err := b.tryQueue(1)
		if (err == nil) != c.room || err != nil && groove.KindOf(err) != groove.KindOutboxFull {
			t.Errorf("%s: room %v, the next one: %v", c.name, c.room, err)
		}
		if err == nil {
			ids = append(ids, id)
		}
	}
}

// TestMoveTakesItsLoadAlong: what waits moves into a new job whole, and counts there.
func TestMoveTakesItsLoadAlong(t *testing.T) {
	b := newBox(t, t.TempDir(), small)
	defer b.close()
	b.Leg(2, 1, "bbcdefghijklmnopqrstuvwxya", nil)
	on := func(leg int64) error { _, err := b.tryQueue(leg); return err }
	for _, leg := range []int64{1, 1, 1, 2} {
		if err := on(leg); err != nil {
			t.Fatal(err)
		}
	}
	b.do(func(tx *store.Tx) error { _, err := b.Move(tx, 1, 2); return err })
	if err := on(2); groove.KindOf(err) != groove.KindOutboxFull {
		t.Errorf("four moved and there is room: %v", err)
	}
	if err := on(1); err != nil {
		t.Errorf("the old leg is empty: %v", err)
	}
}

var errUndo = errors.New("undone")

// TestUndoneCallsCountNothing: the store undoes calls, alone and with others, and runs some twice.
func TestUndoneCallsCountNothing(t *testing.T) {
	b := newBox(t, t.TempDir(), small)
	defer b.close()
	accept := func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, envelope(newID(), "x"), false); return err }
	fill := func(n int, end error) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			for range n {
				if err := accept(tx); err != nil {
					return err
				}
			}
			return end
		}
	}
	together := func(calls ...func(*store.Tx) error) (out []error) {
		t.Helper()
		gate, done := make(chan struct{}), make(chan error, len(calls)+1)
		b.store.Submit(func(*store.Tx) error { <-gate; return nil }, func(err error) { done <- err })
		for _, c := range calls {
			b.store.Submit(c, func(err error) { done <- err })
		}
		close(gate)
		for range len(calls) + 1 {
			out = append(out, <-done)
		}
		return out[1:]
	}
	if err := b.try(fill(3, errUndo)); !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	got := together(fill(1, nil), fill(1, errUndo), fill(3, nil), fill(1, nil), fill(1, errUndo))
	for i, want := range []groove.Kind{"", groove.KindInternal, groove.KindInboxFull, "", groove.KindInternal} {
		if groove.KindOf(got[i]) != want {
			t.Errorf("call %d: %v, want %q", i, got[i], want)
		}
	}
	if n := b.rows("SELECT count(*) FROM inbox"); n != 2 {
		t.Fatalf("%d letters, want 2", n)
	}
	if err := b.try(accept); err != nil {
		t.Errorf("the third has room: %v", err)
	}
	if err := b.try(accept); groove.KindOf(err) != groove.KindInboxFull {
		t.Errorf("the fourth has none: %v", err)
	}
}

// TestRowsThatDoNotCountTakePlaces: the place of what was undone goes to a row that is not
// counted, before one comes that is.
func TestRowsThatDoNotCountTakePlaces(t *testing.T) {
	b := newBox(t, t.TempDir(), small)
	defer b.close()
	b.Leg(2, 1, "bbcdefghijklmnopqrstuvwxya", nil)
	var held int64
	b.do(func(tx *store.Tx) (err error) { _, held, err = b.Accept(tx, 1, letterTo("front"), true); return err })
	for _, undone := range []func(*store.Tx) error{
		func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, letterTo("ops"), false); return err },
		func(tx *store.Tx) error {
			_, err := b.Queue(tx, 2, mailbox.Item{Type: groove.TypeMessage, From: "front", To: "back", Payload: []byte(`{}`)})
			return err
		},
	} {
		if err := b.try(func(tx *store.Tx) error { return errors.Join(undone(tx), errUndo) }); !errors.Is(err, errUndo) {
			t.Fatal(err)
		}
	}
	b.do(func(tx *store.Tx) error { return b.Release(tx, held, true, "") })
	b.do(func(tx *store.Tx) error {
		_, err := b.Queue(tx, 1, mailbox.Item{Type: groove.TypeJobUpdate, Payload: []byte(`{}`)})
		return err
	})
	b.do(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, letterTo("front"), false); return err })
	b.queue("front", "back", "x")
	letters := until(func() error {
		return b.try(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, letterTo("ops"), false); return err })
	})
	messages := until(func() error { _, err := b.tryQueue(2); return err })
	if letters != 3 || messages != 3 {
		t.Errorf("%d letters and %d messages found room where nothing waited, want 3 and 3", letters, messages)
	}
}

// TestBoundsModel: after whatever was done, undone and started again, exactly as much may
// come as a count of the rows leaves room for.
func TestBoundsModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir := t.TempDir()
		limits := func(o *mailbox.Options) {
			o.Inbox, o.Outbox = mailbox.Limit{Messages: 6, Bytes: 1 << 20}, mailbox.Limit{Messages: 6, Bytes: 1 << 20}
		}
		agents, legs := []groove.AgentName{"front", "ops"}, []int64{1, 2}
		start := func() *box {
			b := newBox(t, dir, limits)
			b.Leg(2, 1, "bbcdefghijklmnopqrstuvwxya", nil)
			return b
		}
		b := start()
		defer func() { b.close() }()
		var inbox []int64
		var outbox []groove.MessageID
		// One step: what is done, to which of the rows so far, and one of two ways. Drawn
		// before the call: the store takes rapid's panics for the call's.
		type drawn struct {
			what, which int
			way         bool
		}
		steps := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) drawn {
			return drawn{rapid.IntRange(0, 6).Draw(r, "what"), rapid.IntRange(0, 99).Draw(r, "which"), rapid.Bool().Draw(r, "way")}
		}), 1, 4)
		step := func(tx *store.Tx, d drawn) error {
			switch {
			case d.what == 0:
				_, pos, err := b.Accept(tx, 1, letterTo(agents[d.which%2]), d.way)
				if err == nil {
					inbox = append(inbox, pos)
				}
				return full(err)
			case d.what == 1:
				id, err := b.Queue(tx, legs[d.which%2], mailbox.Item{Type: groove.TypeMessage, From: "front", To: "back", Payload: []byte(`{}`)})
				if err == nil {
					outbox = append(outbox, id)
				}
				return full(err)
			case d.what == 2 && len(inbox) > 0:
				state := groove.InDelivered
				if d.way {
					state = groove.InStarted
				}
				return b.Mark(tx, []int64{inbox[d.which%len(inbox)]}, state, 1)
			case d.what == 3 && len(inbox) > 0:
				return b.Return(tx, []int64{inbox[d.which%len(inbox)]}, false)
			case d.what == 4 && len(inbox) > 0:
				return b.Release(tx, inbox[d.which%len(inbox)], d.way, groove.KindDenied)
			case d.what == 5 && len(outbox) > 0:
				state := groove.ReceiptHeld
				if d.way {
					state = groove.ReceiptStored
				}
				for _, leg := range legs { // to one of them it is a stranger's
					if err := b.Receipted(tx, leg, []groove.Receipt{{N: 1, ID: outbox[d.which%len(outbox)].String(), State: state}}); err != nil {
						return err
					}
				}
			case d.what == 6:
				_, err := b.Queue(tx, legs[d.which%2], mailbox.Item{Type: groove.TypeJobUpdate, Payload: []byte(`{}`)})
				return err
			}
			return nil
		}
		for range rapid.IntRange(1, 25).Draw(r, "calls") {
			if rapid.IntRange(0, 9).Draw(r, "start") == 0 {
				b.close()
				b = start()
			}
			all, undo := steps.Draw(r, "steps"), rapid.IntRange(0, 3).Draw(r, "undo") == 0
			err := b.try(func(tx *store.Tx) error {
				for _, d := range all {
					if err := step(tx, d); err != nil {
						return err
					}
				}
				if undo {
					return errUndo
				}
				return nil
			})
			if err != nil && !errors.Is(err, errUndo) {
				r.Fatal(err)
			}
		}
		for i := range 2 {
			waiting := b.rows("SELECT count(*) FROM inbox WHERE to_agent = ? AND state IN ('held', 'stored', 'delivering')", agents[i])
			queued := b.rows("SELECT count(*) FROM outbox WHERE leg = ? AND state IN ('queued', 'held') AND to_agent <> ''", legs[i])
			came := until(func() error {
				return b.try(func(tx *store.Tx) error { _, _, err := b.Accept(tx, 1, letterTo(agents[i]), false); return err })
			})
			went := until(func() error { _, err := b.tryQueue(legs[i]); return err })
			if came != max(0, 6-waiting) || went != max(0, 6-queued) {
				r.Fatal(fmt.Sprintf("%d waited and %d more came; %d were queued and %d more went; the bound is 6", waiting, came, queued, went))
			}
		}
	})
}

func letterTo(agent groove.AgentName) *groove.Envelope {
	e := envelope(newID(), "x")
	e.To.Agent = agent
	return e
}

// until counts how often do goes well.
func until(do func() error) (n int) {
	for ; do() == nil; n++ {
	}
	return n
}

// full leaves out refusals that are the bound's.
func full(err error) error {
	if k := groove.KindOf(err); k == groove.KindInboxFull || k == groove.KindOutboxFull {
		return nil
	}
	return err
}

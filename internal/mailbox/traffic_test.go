package mailbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"groove/internal/groove"
	"groove/internal/mailbox"
	"groove/internal/store"
)

func (b *box) crossed(leg int64) (mailbox.Traffic, string) {
	b.t.Helper()
	all, err := b.Traffic(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	t := all[leg]
	return t, fmt.Sprintf("%d/%d", t.Sent, t.Received)
}

// TestTraffic: totals are true however many messages there were, also over a restart;
// what never reached the peer is not sent.
func TestTraffic(t *testing.T) {
	dir := t.TempDir()
	b := newBox(t, dir)
	check := func(why, want string) mailbox.Traffic {
		t.Helper()
		t0, got := b.crossed(1)
		if got != want {
			t.Errorf("%s: %s sent and received, want %s", why, got, want)
		}
		tally, err := b.Tally(context.Background(), 1)
		if of := fmt.Sprintf("%d/%d", tally.Sent, tally.Received); err != nil || of != want {
			t.Errorf("%s: a job's record says %s, want %s (%v)", why, of, want, err)
		}
		return t0
	}
	check("nothing crossed", "0/0")
	ids := map[int]groove.MessageID{}
	for i := range 1200 { // over a page of the history, and two
		ids[i] = b.queue("front", "back", "x")
	}
	b.queue(groove.User, "front", "to an agent of the same name there")
	check("all wait", "0/0")
	for i := range 1100 {
		b.receipts(groove.Receipt{ID: ids[i].String(), State: groove.ReceiptStored, N: uint64(i + 1)})
	}
	b.receipts(groove.Receipt{ID: ids[1100].String(), State: groove.ReceiptRefused, Kind: groove.KindNotAllowed, N: 1101})
	check("what the peer refused has reached it, 100 wait", "1101/0")
	if err := b.Cancel(context.Background(), ids[1150]); err != nil {
		t.Fatal(err)
	}
	check("what is called back was not sent", "1101/0")
	b.pass(time.Minute)
	var held int64
	b.do(func(tx *store.Tx) error {
		for i := range 3 {
			_, pos, err := b.Accept(tx, 1, envelope(newID(), "y"), i == 2)
			if held = pos; err != nil {
				return err
			}
		}
		_, err := b.Put(tx, groove.Draft{From: groove.User, To: "front", Message: groove.Message{Text: "not over the leg"}})
		return err
	})
	got := check("what came", "1101/3")
	if front, user := got.Agents["front"], got.Agents[groove.User]; front.Sent != 1101 || front.Received != 3 || user.Sent != 0 || user.Received != 0 {
		t.Errorf("by agent: %+v", got.Agents)
	}
	if got.Last.UnixMilli() != b.clock().UnixMilli() {
		t.Errorf("the last was at %s, want %s", got.Last, b.clock())
	}
	b.do(func(tx *store.Tx) error { return b.Release(tx, held, true, "") }) // it moves to the end of its inbox
	check("a message that was held is one message", "1101/3")
	b.do(func(tx *store.Tx) error {
		if _, err := tx.Exec("INSERT INTO leg(pk, job, peer_pk, opener, state, created_at) VALUES(2, 'b', 1, 1, 'open', 0)"); err != nil {
			return err
		}
		b.Leg(2, 1, "b", nil)
		_, err := b.Move(tx, 1, 2)
		return err
	})
	check("what waits moves to the new leg of a reopened job", "1101/3")
	if _, there := b.crossed(2); there != "0/0" {
		t.Errorf("there it still waits: %s", there)
	}
	b.receipts(groove.Receipt{ID: ids[1199].String(), State: groove.ReceiptStored, N: 1102})
	b.close()
	b = newBox(t, dir)
	defer b.close()
	check("after a restart", "1101/3")
}

// TestTrafficOfReusedPositions: letters that were removed at the end of the inbox free their
// positions, and what takes those is counted.
func TestTrafficOfReusedPositions(t *testing.T) {
	b := newBox(t, t.TempDir())
	defer b.close()
	b.do(func(tx *store.Tx) error {
		_, err := b.Put(tx, groove.Draft{From: groove.User, To: "gone", Message: groove.Message{Text: "x"}})
		return err
	})
	b.do(func(tx *store.Tx) error { return b.Refuse(tx, "gone", groove.KindAgentExited) })
	b.crossed(1)
	b.do(func(tx *store.Tx) error {
		if free, err := b.Forget(tx, "gone"); err != nil || !free {
			t.Errorf("not forgotten: %v", err)
		}
		_, _, err := b.Accept(tx, 1, envelope(newID(), "y"), false)
		return err
	})
	if _, got := b.crossed(1); got != "0/1" {
		t.Errorf("%s, want 0/1", got)
	}
}

// BenchmarkTraffic looks at 100,000 messages that were counted before, and at one new one.
func BenchmarkTraffic(b *testing.B) {
	x := newBox(b, b.TempDir(), func(o *mailbox.Options) { o.Outbox = mailbox.Limit{Messages: 1 << 20, Bytes: 1 << 40} })
	defer x.close()
	x.do(func(tx *store.Tx) error {
		for range 100_000 {
			if _, err := tx.Exec("INSERT INTO outbox(leg, id, type, from_agent, to_agent, state, at, expires_at) VALUES(1, randomblob(16), 'message', 'front', 'back', 'stored', 1, 1)"); err != nil {
				return err
			}
		}
		return nil
	})
	begin := time.Now()
	x.crossed(1)
	b.Logf("the first look: %s", time.Since(begin))
	for b.Loop() {
		x.crossed(1)
	}
}

package federation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"groove/internal/federation"
	"groove/internal/groove"
)

// arm lets h pair with the daemon at an address.
func (h *house) arm(address string) federation.Armed {
	h.w.t.Helper()
	v, err := h.pairing.Arm(h.ctx, federation.ArmRequest{Address: address})
	if err != nil {
		h.w.t.Fatal(err)
	}
	return v
}

// seen is an arming as it is now.
func (h *house) seen(v federation.Armed) federation.Armed {
	h.w.t.Helper()
	now, err := h.pairing.Arming(v.ID)
	if err != nil {
		h.w.t.Fatal(err)
	}
	return now
}

// says answers the words that are on the table.
func (h *house) says(v federation.Armed, same bool) {
	h.w.t.Helper()
	if _, err := h.pairing.Confirm(h.ctx, v.ID, h.seen(v).Words, same); err != nil {
		h.w.t.Fatal(err)
	}
}

// meet arms both sides and returns when both show words.
func meet(w *world) (vps, laptop *house, there, here federation.Armed) {
	w.t.Helper()
	vps, laptop = two(w)
	there, here = vps.arm("10.0.0.2"), laptop.arm("10.0.0.1")
	after(3 * time.Second)
	there, here = vps.seen(there), laptop.seen(here)
	if there.State != federation.ArmWords || here.State != federation.ArmWords || there.Words != here.Words || there.Words == "" {
		w.t.Fatalf("there %+v\nhere %+v", there, here)
	}
	return vps, laptop, there, here
}

func TestPairByWords(t *testing.T) {
	for _, order := range []string{"vps first", "laptop first", "at once"} {
		t.Run(order, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				vps, laptop, there, here := meet(w)
				if vps.paired(laptop) || laptop.paired(vps) || len(vps.book.All()) != 0 {
					t.Error("something is committed before a word was said")
				}
				if order == "laptop first" {
					laptop.says(here, true)
					after(time.Minute)
					if v := laptop.seen(here); v.State != federation.ArmWaiting || v.Words != here.Words {
						t.Errorf("%+v", v)
					}
				}
				vps.says(there, true)
				if order == "vps first" {
					after(time.Minute)
				}
				if vps.paired(laptop) && order != "laptop first" {
					t.Error("paired by one yes")
				}
				if order != "laptop first" {
					laptop.says(here, true)
				}
				after(3 * time.Second)
				if vps.seen(there).State != federation.ArmPaired || laptop.seen(here).State != federation.ArmPaired {
					t.Errorf("there %+v\nhere %+v", vps.seen(there), laptop.seen(here))
				}
				if !vps.paired(laptop) || !laptop.paired(vps) {
					t.Fatal("not paired")
				}
				for _, h := range []*house{vps, laptop} {
					h.restart()
				}
				if !vps.paired(laptop) || !laptop.paired(vps) || len(vps.pairing.Armings()) != 0 {
					t.Error("a restart changes it")
				}
				if p, _ := vps.book.ByID(laptop.id); p.Addresses[0] != laptop.addr || p.Mine || len(p.Gate) != 0 {
					t.Errorf("%+v", p)
				}
			})
		})
	}
}

func TestWordsDiffer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop, there, here := meet(w)
		for n := 1; n <= 3; n++ {
			if n%2 == 0 { // the yes first: a no that has arrived takes the words away
				laptop.says(here, true)
				vps.says(there, false)
			} else {
				vps.says(there, true)
				laptop.says(here, false)
			}
			after(2500 * time.Millisecond)
			v, l := vps.seen(there), laptop.seen(here)
			if v.Failures != n || l.Failures != n {
				t.Errorf("failure %d: there %+v\nhere %+v", n, v, l)
			}
			if vps.paired(laptop) || laptop.paired(vps) {
				t.Error("paired in spite of a no")
			}
			after(3 * time.Second)
		}
		for _, v := range []federation.Armed{vps.seen(there), laptop.seen(here)} {
			if v.State != federation.ArmFailed || groove.KindOf(v.Err) != groove.KindPairWordsDiffer {
				t.Errorf("%+v", v)
			}
		}
		after(25 * time.Minute)
		if p, any := vps.pairing.Sources(); any || len(p) > 0 || len(vps.book.All()) > 0 {
			t.Errorf("left: %v %v", p, vps.book.All())
		}
	})
}

func TestNobodyAnswersWords(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		vps, laptop, there, here := meet(w)
		after(6 * time.Minute)
		for _, v := range []federation.Armed{vps.seen(there), laptop.seen(here)} {
			if v.State != federation.ArmFailed || groove.KindOf(v.Err) != groove.KindPairExpired {
				t.Errorf("%+v", v)
			}
		}
		if p, _ := vps.pairing.Sources(); len(p) > 0 || len(vps.book.All()) > 0 || vps.paired(laptop) {
			t.Error("something is left")
		}
		synctest.Wait()
	})
}

package federation

import (
	"fmt"
	"slices"
	"strings"

	"groove/internal/groove"
)

// leastPrefix is how much of an ID a command must give.
const leastPrefix = 4

// Find returns the paired daemon that ref names: a whole name, 4 or more first
// characters of an ID, or the first characters of one name only. A name is its
// peer's own choice, so one that reads like another's ID is ambiguous, never
// preferred. It fails with KindPeerUnknown, KindAmbiguous, KindPeerDamaged,
// KindPeerNotPaired (pairing not finished).
func (b *Book) Find(ref string) (groove.Peer, error) {
	p, err := b.find(ref)
	if err == nil && p.State != groove.PeerActive {
		return p, groove.Errorf("find peer", groove.KindPeerNotPaired, "the pairing with %s is not finished", p.Name).
			WithFix("wait until it is, or groove federation unpair " + p.ID.Short())
	}
	return p, err
}

// find also returns daemons in confirming.
func (b *Book) find(ref string) (groove.Peer, error) {
	s := b.snap.Load()
	hits := matches(s.all, func(p groove.Peer) bool { return p.Name == ref || isIDPrefix(p.ID, ref) })
	if len(hits) == 0 {
		if d, ok := s.findDamaged(ref); ok {
			return groove.Peer{PK: d.PK, ID: d.Peer}, groove.Errorf("find peer", groove.KindPeerDamaged, "%s: %s", d.File, d.Reason).WithFix(d.Fix)
		}
		hits = matches(s.all, func(p groove.Peer) bool { return ref != "" && strings.HasPrefix(p.Name, ref) })
	}
	switch len(hits) {
	case 0:
		return groove.Peer{}, groove.Errorf("find peer", groove.KindPeerUnknown, "no peer is called %.80q", ref).WithFix("groove federation list")
	case 1:
		return hits[0], nil
	}
	names := make([]string, len(hits))
	for i, p := range hits {
		names[i] = p.Name + " (" + p.ID.Short() + ")"
	}
	return groove.Peer{}, groove.Errorf("find peer", groove.KindAmbiguous, "%.80q may be %s", ref, strings.Join(names, ", ")).
		WithFix("give more of the ID: groove federation list")
}

func isIDPrefix(id groove.DaemonID, ref string) bool {
	return len(ref) >= leastPrefix && strings.HasPrefix(string(id), ref)
}

func matches(peers []groove.Peer, fits func(groove.Peer) bool) []groove.Peer {
	var hits []groove.Peer
	for _, p := range peers {
		if fits(p) {
			hits = append(hits, p)
		}
	}
	return hits
}

func (s *snapshot) findDamaged(ref string) (Damaged, bool) {
	i := slices.IndexFunc(s.damaged, func(d Damaged) bool { return d.Peer != "" && isIDPrefix(d.Peer, ref) })
	if i < 0 {
		return Damaged{}, false
	}
	return s.damaged[i], true
}

// freeName returns name, or name-2, name-3, … where another peer has it.
func (b *Book) freeName(name string, id groove.DaemonID) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(b.snap.Load().all, func(p groove.Peer) bool {
			return p.ID != id && strings.EqualFold(p.Name, name)
		})
	}
	free := name
	for n := 2; taken(free); n++ {
		end := fmt.Sprintf("-%d", n)
		free = groove.CleanLabel(name, maxLabel-len(end)) + end
	}
	return free
}

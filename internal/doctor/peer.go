package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"groove/internal/groove"
)

func (w *world) name() string { return or(w.peer.Name, w.peer.ID.Short()) }

// checkPeer looks at the pairing.
func checkPeer(_ context.Context, w *world) []Finding {
	p := w.peer
	f := Finding{Looked: "pairing with " + w.name(), Verdict: OK, Detail: string(p.State)}
	switch {
	case p.Problem != "":
		f.Verdict, f.Kind, f.Detail = Fault, groove.KindPeerDamaged, p.Name+": "+p.Problem
		f.Fix = "repair the file in " + w.Home + "/federation/peers and groove restart, or groove federation unpair " + p.ID.Short()
	case p.State != groove.PeerActive:
		f.Verdict, f.Kind, f.Fix = Fault, groove.KindPeerNotPaired, "groove federation pair ADDRESS, on both machines"
	}
	return one(f)
}

// usable reports whether the peer can be spoken to at all.
func (w *world) usable() bool { return w.peer.Problem == "" && w.peer.State == groove.PeerActive }

// checkAddress has the daemon try each address of the peer.
func checkAddress(ctx context.Context, w *world) []Finding {
	if !w.usable() {
		return nil
	}
	probe, err := w.Daemon.Probe(ctx, string(w.peer.ID))
	if err != nil {
		return one(failed("addresses of "+w.name(), err))
	}
	w.probe = &probe
	if w.peer.Dial == "in" {
		f := Finding{Looked: "addresses of " + w.name(), Verdict: Skipped, Detail: "it is not dialled (dial = in): it connects to this machine"}
		if probe.Hello == nil {
			f.Verdict, f.Kind, f.Detail, f.Fix = Warn, groove.KindPeerUnreachable, f.Detail+", and has not now", "groove doctor, on "+w.name()
		}
		return one(f)
	}
	if len(probe.Addresses) == 0 {
		return one(Finding{Looked: "addresses of " + w.name(), Verdict: Fault, Kind: groove.KindPeerUnreachable, Detail: "it has none", Fix: "groove federation readdress " + w.name() + " HOST:31416"})
	}
	var out []Finding
	reached := slices.ContainsFunc(probe.Addresses, func(a probeAddress) bool { return a.Result == "answers" })
	for _, a := range probe.Addresses {
		f := w.address(a)
		if f.Verdict == Fault && (reached || probe.Hello != nil) {
			f.Verdict = Warn // another way leads there
		}
		out = append(out, f)
	}
	return out
}

// address says what it means that an address answered as it did.
func (w *world) address(a probeAddress) Finding {
	f := Finding{Looked: a.Address, Verdict: OK, Detail: "answers, with the right key"}
	if a.From != "" {
		f.Looked += " from " + a.From
	}
	if a.Result == "answers" {
		return f
	}
	f.Verdict = Fault
	if a.Problem != nil {
		f.Kind, f.Fix, f.Detail = a.Problem.Kind, a.Problem.Fix, a.Problem.Detail
	}
	readdress := "groove federation readdress " + w.name() + " HOST:PORT"
	switch a.Result {
	case "refused":
		f.Detail = "nothing listens there: the daemon does not run, has unpaired this one, or lives at another address"
		f.Fix = "groove doctor, on " + w.name() + "; if it moved: " + readdress
	case "silent":
		f.Detail = "no answer at all: a firewall drops us, the machine is off, or its gate does not admit this address"
		f.Fix = "on " + w.name() + ": groove gate shows who is admitted, groove federation readdress THIS --gate ADDRESS admits; if it moved: " + readdress
	case "unreachable":
		f.Detail = "there is no way to it: " + f.Detail
		f.Fix = "check the network (VPN, route), or " + readdress
	case "reset":
		f.Room, f.Where = "gate", w.name()
		f.Detail = "its gate resets us: it does not know the address that we come from"
		f.Fix = "on " + w.name() + ": groove federation readdress THIS --gate ADDRESS"
	case "key":
		f.Room = "key"
	}
	return f
}

// checkHello looks at what the peer said of itself, or why it said nothing.
func checkHello(_ context.Context, w *world) []Finding {
	if w.probe == nil {
		return nil
	}
	if p := w.probe.Problem; p != nil {
		if p.Kind == groove.KindPeerUnreachable && !slices.ContainsFunc(w.probe.Addresses, func(a probeAddress) bool { return a.Result == "answers" }) {
			return nil // told by address
		}
		f := refused(roomOf(p.Kind, "transport"), "hello with "+w.name(), p)
		f.Where = w.name()
		if p.Kind == groove.KindVersionNone {
			f.Fix = or(f.Fix, "install the same groove on both machines, then groove restart")
		}
		return one(f)
	}
	h := w.probe.Hello
	f := Finding{Looked: "hello with " + w.name(), Where: w.name(), Verdict: OK, Detail: fmt.Sprintf("%s, bridge protocol %s, %.1f ms away", h.Software, strings.Join(h.Versions, " "), h.RTT)}
	if h.Software != "groove/"+w.status.Version {
		f.Verdict, f.Detail, f.Fix = Warn, f.Detail+"; here it is groove/"+w.status.Version, "install the same groove on both machines"
	}
	return one(f)
}

// slightSkew is worth a word; groove.MaxSkew is where messages stop.
const slightSkew = 30 * time.Second

// checkClock compares the two clocks.
func checkClock(_ context.Context, w *world) []Finding {
	if w.probe == nil || w.probe.Hello == nil {
		return nil
	}
	off := time.Duration(w.probe.Hello.OffsetMS) * time.Millisecond
	f := Finding{Looked: "clocks here and on " + w.name(), Verdict: OK, Detail: fmt.Sprintf("%s apart", off.Abs())}
	if off.Abs() > slightSkew {
		now := w.Now().UTC()
		f.Verdict = Warn
		f.Detail = fmt.Sprintf("%s apart: here it is %s, there %s", off.Abs().Round(time.Second), now.Format(time.DateTime), now.Add(off).Format(time.DateTime))
		f.Fix = "on the machine that is wrong: sudo timedatectl set-ntp true"
	}
	if off.Abs() > groove.MaxSkew {
		f.Verdict, f.Kind = Fault, groove.KindClockSkew
	}
	return one(f)
}

// checkPolicy looks at what this side lets the peer do.
func checkPolicy(_ context.Context, w *world) []Finding {
	if !w.usable() {
		return nil
	}
	p := w.peer.Policy
	f := Finding{Looked: "policy for " + w.name(), Verdict: OK, Detail: fmt.Sprintf("jobs: %s, messages: %s", p.Open, p.Message)}
	file := fmt.Sprintf("%s/federation/peers/%s.json", w.Home, w.peer.ID)
	switch {
	case p.Message == groove.Deny:
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, groove.KindDenied, "its messages are refused here", `set "message" to "allow" in `+file+", then groove restart"
	case p.Open == groove.Deny:
		f.Verdict, f.Kind, f.Detail, f.Fix = Warn, groove.KindDenied, "jobs that it opens are refused here", `set "open" to "ask" in `+file+", then groove restart"
	}
	return one(f)
}

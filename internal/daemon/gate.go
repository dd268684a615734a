package daemon

import (
	"context"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"

	"groove/internal/api"
	"groove/internal/audit"
	"groove/internal/gate"
	"groove/internal/groove"
	"groove/internal/store"
)

// gateNow is how the bridge port stands.
func (d *daemon) gateNow() api.Gate {
	s := d.gate.State()
	out := api.Gate{Mode: string(s.Mode), Wish: string(s.Wish), Scan: string(s.Scan), Drops: s.Drops, Sources: []string{},
		Open: s.Scan != gate.ScanClosed, Listen: d.listening(), Advertise: d.advertised()}
	for _, p := range s.Sources.Prefixes {
		out.Sources = append(out.Sources, p.String())
	}
	if out.Any = s.Sources.Any; out.Any {
		out.Sources = append(out.Sources, "any")
		out.AnyWhy = d.whyAny()
	}
	if s.Mode == gate.Reset && !s.Sources.Any {
		out.Improve = improvement(s)
	}
	return out
}

// whyAny names what opens the gate to every source.
func (d *daemon) whyAny() []string {
	var out []string
	if _, any := d.pairing.Sources(); any {
		out = append(out, "an invite for any is open")
	}
	for _, p := range d.book.Peers() {
		if p.Roaming == "any" {
			out = append(out, p.Name+" roams (roaming = any)")
		}
	}
	return out
}

// improvement is the one command that hides the port better than a reset does.
func improvement(s gate.State) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	if s.Wish == gate.Reset && gate.Probe() == nil {
		return "groove gate mode kernel"
	}
	if unit := systemUnit("/proc/self/cgroup"); unit != "" && (s.Problem == nil || gate.Probe() != nil) {
		return "printf '[Service]\\nAmbientCapabilities=CAP_NET_ADMIN\\n' | sudo systemctl edit --stdin " + unit + " && sudo systemctl restart " + unit
	}
	return "groove gate nft | sudo nft -f -"
}

// systemUnit is the unit of the system's systemd that this process runs in, "" for none:
// a user's own systemd has no capability to give.
func systemUnit(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	_, path, _ := strings.Cut(strings.TrimSpace(string(text)), "::")
	unit := path[strings.LastIndexByte(path, '/')+1:]
	if !strings.HasSuffix(unit, ".service") || strings.Contains(path, "/user@") {
		return ""
	}
	for _, r := range unit { // it becomes part of a command line
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.@:", r) {
			return ""
		}
	}
	return unit
}

// gateProblem is why the gate is not as it was wished to be, nil if it is.
func (d *daemon) gateProblem() *groove.Error {
	s := d.gate.State()
	if s.Problem == nil || s.Wish == gate.Auto && gate.Probe() != nil {
		return nil // auto takes what it may; what would be better is told as such
	}
	return s.Problem
}

// GateMode is api.Host.
func (d *daemon) GateMode(ctx context.Context, mode string) (api.Gate, error) {
	before := d.gate.State().Mode
	if err := d.gate.SetMode(gate.Mode(mode)); err != nil {
		return api.Gate{}, err
	}
	now := d.gateNow()
	if now.Mode != string(before) {
		if err := d.store.Do(context.WithoutCancel(ctx), func(tx *store.Tx) error {
			d.audit.Append(tx, audit.Entry{Event: "policy", Detail: "gate mode " + now.Mode})
			tx.Note(groove.Change{Topic: groove.TopicGate, State: now.Mode})
			return nil
		}); err != nil {
			return now, err
		}
	}
	d.changes.bump()
	return now, nil
}

// GateRuleset is api.Host.
func (d *daemon) GateRuleset(context.Context) (api.Ruleset, error) {
	var listen []netip.AddrPort
	for _, a := range d.listening() {
		if ap, err := netip.ParseAddrPort(a); err == nil && ap.Port() != 0 {
			listen = append(listen, ap)
		}
	}
	if len(listen) == 0 {
		return api.Ruleset{}, groove.Errorf("make ruleset", groove.KindConflict, "the bridge listens nowhere").WithFix("pair first, or set bridge.listen")
	}
	return api.Ruleset{Text: gate.Ruleset(listen, d.gate.State().Sources)}, nil
}

func (d *daemon) gateDropped(segments uint64) {
	d.store.Lazy(func(tx *store.Tx) error {
		d.audit.Append(tx, audit.Entry{Event: "refuse", Kind: groove.KindGateNotPaired,
			Detail: strconv.FormatUint(segments, 10) + " segments dropped by the kernel filter"})
		return nil
	})
}

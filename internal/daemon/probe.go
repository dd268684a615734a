package daemon

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/transport"
)

// probeTimeout bounds each step of a connection to one address: a filtered port says
// nothing for ever.
const probeTimeout = 4 * time.Second

// probeTotal bounds the whole.
const probeTotal = 20 * time.Second

// Probe is api.Doctor.
func (d *daemon) Probe(ctx context.Context, ref string) (api.Probe, error) {
	p, err := d.book.Find(ref)
	if err != nil {
		return api.Probe{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTotal)
	defer cancel()
	out := api.Probe{Peer: d.peerOf(p), Addresses: []api.ProbeAddress{}}
	if p.Dial != "in" {
		out.Addresses = d.probeAddresses(ctx, p)
	}
	reached := slices.ContainsFunc(out.Addresses, func(a api.ProbeAddress) bool { return a.Result == "answers" })
	said, err := d.bridge.Probe(ctx, p, reached)
	if err != nil {
		out.Problem = api.ProblemOf(err)
		return out, nil
	}
	out.Hello = &api.ProbeHello{Software: said.Software, Versions: said.Versions, OffsetMS: said.Offset.Milliseconds(), RTT: float64(said.RTT.Microseconds()) / 1000}
	return out, nil
}

// probeAddresses tries all of a peer's addresses at once.
func (d *daemon) probeAddresses(ctx context.Context, p groove.Peer) []api.ProbeAddress {
	key, err := groove.B64.DecodeString(p.Key)
	if err != nil {
		return []api.ProbeAddress{} // its file was checked when it was read
	}
	all := targets(p.Addresses, d.book.Hosts, d.book.LastSource(p.PK))
	out := make([]api.ProbeAddress, len(all))
	var run sync.WaitGroup
	for i, addr := range all {
		run.Go(func() {
			out[i] = api.ProbeAddress{Address: addr, From: d.local(addr), Result: "answers"}
			conn, err := transport.Dial(ctx, transport.DialConfig{Cert: d.cert, PeerKey: key, Addr: addr, Local: out[i].From, ALPN: transport.ALPNBridge, Timeout: probeTimeout})
			if err != nil {
				out[i].Result, out[i].Problem = dialResult(err), api.ProblemOf(err)
				return
			}
			_ = conn.Close("") // it was to be reached, no more
		})
	}
	run.Wait()
	return out
}

// dialResult says in a word how a dial failed.
func dialResult(err error) string {
	var network net.Error
	switch {
	case groove.KindOf(err) == groove.KindUnknownKey:
		return "key"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "unreachable"
	case groove.KindOf(err) == groove.KindTimeout, errors.As(err, &network) && network.Timeout():
		return "silent"
	}
	return "other"
}

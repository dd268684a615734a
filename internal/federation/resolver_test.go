package federation

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers over UDP, and over TCP what it says to be too long for it.
type nameServer struct {
	t    *testing.T
	udp  *net.UDPConn
	tcp  net.Listener
	work sync.WaitGroup
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", udp.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{t: t, udp: udp, tcp: tcp}
	s.work.Go(s.serveUDP)
	s.work.Go(s.serveTCP)
	t.Cleanup(func() {
		udp.Close()
		tcp.Close()
		s.work.Wait()
	})
	return s
}

func (s *nameServer) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, s.udp.LocalAddr().String())
}

func (s *nameServer) serveUDP() {
	b := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if _, err := s.udp.WriteToUDPAddrPort(s.answer(b[:n], false), from); err != nil {
			s.t.Error(err)
		}
	}
}

func (s *nameServer) serveTCP() {
	for {
		c, err := s.tcp.Accept()
		if err != nil {
			return
		}
		b := make([]byte, 4096)
		n, err := c.Read(b) // a query comes in one piece
		if err == nil && n > 2 {
			out := s.answer(b[2:n], true)
			for _, piece := range [][]byte{{byte(len(out) >> 8)}, {byte(len(out))}, out[:20], out[20:]} {
				if _, err := c.Write(piece); err != nil {
					s.t.Error(err)
				}
			}
		}
		c.Close()
	}
}

func (s *nameServer) answer(query []byte, long bool) []byte {
	var q dnsmessage.Message
	if err := q.Unpack(query); err != nil || len(q.Questions) != 1 {
		s.t.Errorf("no query: %v", err)
		return nil
	}
	ask := q.Questions[0]
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true}, Questions: q.Questions}
	head := func(kind dnsmessage.Type, ttl uint32) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: ask.Name, Type: kind, Class: dnsmessage.ClassINET, TTL: ttl}
	}
	add := func(ttl uint32, body dnsmessage.ResourceBody, kind dnsmessage.Type) {
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head(kind, ttl), Body: body})
	}
	host, _, _ := strings.Cut(ask.Name.String(), ".")
	four := ask.Type == dnsmessage.TypeA
	switch {
	case host == "gone":
		m.RCode = dnsmessage.RCodeNameError
	case host == "long" && !long:
		m.Truncated = true
	case host == "both" && four, host == "long" && four:
		add(300, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}, dnsmessage.TypeA)
		add(120, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 2}}, dnsmessage.TypeA)
	case host == "both":
		add(90, &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()}, dnsmessage.TypeAAAA)
	case host == "alias" && four:
		add(45, &dnsmessage.CNAMEResource{CNAME: ask.Name}, dnsmessage.TypeCNAME)
		add(900, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 3}}, dnsmessage.TypeA)
	case host == "moment" && four:
		add(0, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 4}}, dnsmessage.TypeA)
	}
	out, err := m.Pack()
	if err != nil {
		s.t.Error(err)
	}
	return out
}

// TestLookup asks a name server over the real resolver, for how long its answers hold.
func TestLookup(t *testing.T) {
	rows := []struct {
		why, host string
		want      []string
		ttl       time.Duration
	}{
		{"the shortest of both families counts", "both.example.", []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}, 90 * time.Second},
		{"an alias ends sooner than what it points to", "alias.example.", []string{"192.0.2.3"}, 45 * time.Second},
		{"too long for a packet: over TCP, in pieces", "long.example.", []string{"192.0.2.1", "192.0.2.2"}, 120 * time.Second},
		{"an answer for no time is not one of unsaid time", "moment.example.", []string{"192.0.2.4"}, time.Millisecond},
		{"an address needs no server", "192.0.2.9", []string{"192.0.2.9"}, 0},
	}
	lookup := systemLookup(newNameServer(t).dial)
	for _, row := range rows {
		addrs, ttl, err := lookup(t.Context(), row.host)
		var got []string
		for _, a := range addrs {
			got = append(got, a.Unmap().String())
		}
		slices.Sort(got)
		if err != nil || !slices.Equal(got, row.want) || ttl != row.ttl {
			t.Errorf("%s: %v for %v, %v; want %v for %v", row.why, got, ttl, err, row.want, row.ttl)
		}
	}
	var none *net.DNSError
	if _, _, err := lookup(t.Context(), "gone.example."); !errors.As(err, &none) || !none.IsNotFound {
		t.Errorf("a name that is not there: %v", err)
	}
}

func TestMessagesThatAreNone(t *testing.T) {
	var seen ttls
	for _, message := range [][]byte{nil, {1}, make([]byte, 12), {0, 0, 0x80, 0, 0, 9, 0, 9, 0, 0, 0, 0, 1}} {
		seen.read(message)
	}
	if seen.least() != 0 {
		t.Errorf("%v was read from junk", seen.least())
	}
}

package federation

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Lookup resolves a host name. ttl is how long the answer holds, 0 where nobody says.
type Lookup func(ctx context.Context, host string) (addrs []netip.Addr, ttl time.Duration, err error)

// dialDNS opens a connection to a name server, as net.Resolver.Dial does.
type dialDNS func(ctx context.Context, network, address string) (net.Conn, error)

// systemLookup asks as the system is set up to (hosts file, search list, name servers).
// net.Resolver does not tell how long an answer holds; so it is read from the messages
// on their way through.
func systemLookup(dial dialDNS) Lookup {
	return func(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
		var seen ttls
		r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			if udp, ok := c.(*net.UDPConn); ok { // the resolver asks for its type
				return packets{udp, &seen}, nil
			}
			return &stream{Conn: c, seen: &seen}, nil
		}}
		addrs, err := r.LookupNetIP(ctx, "ip", host)
		return addrs, seen.least(), err
	}
}

// ttls is the smallest time that the answers of one look-up hold. A look-up asks for
// both families at once.
type ttls struct {
	mu  sync.Mutex
	any bool
	min time.Duration
}

func (t *ttls) least() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.min
}

// read takes the times of one message. What is no message is the resolver's to refuse.
func (t *ttls) read(message []byte) {
	var p dnsmessage.Parser
	if _, err := p.Start(message); err != nil {
		return
	}
	if err := p.SkipAllQuestions(); err != nil {
		return
	}
	for {
		head, err := p.AnswerHeader()
		if err != nil {
			return
		}
		t.note(time.Duration(head.TTL) * time.Second)
		if err := p.SkipAnswer(); err != nil {
			return
		}
	}
}

func (t *ttls) note(ttl time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	// An answer that holds for no time at all holds for a moment: 0 means that nobody said.
	if ttl = max(ttl, time.Millisecond); !t.any || ttl < t.min {
		t.any, t.min = true, ttl
	}
}

// packets is UDP: a read is a message.
type packets struct {
	*net.UDPConn
	seen *ttls
}

// Read is net.Conn.
func (c packets) Read(b []byte) (int, error) {
	n, err := c.UDPConn.Read(b)
	c.seen.read(b[:max(n, 0)])
	return n, err
}

// stream is TCP: two bytes of length before each message, read in any pieces.
type stream struct {
	net.Conn
	seen *ttls
	had  []byte
}

// Read is net.Conn.
func (c *stream) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.had = append(c.had, b[:max(n, 0)]...)
	for len(c.had) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(c.had))
		if len(c.had) < end {
			break
		}
		c.seen.read(c.had[2:end])
		c.had = c.had[end:]
	}
	return n, err
}

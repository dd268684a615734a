package federation

import (
	"net/netip"
	"sync"
	"time"
)

// slots holds sources back that sent junk. Its memory is bounded.
type slots struct {
	mu    sync.Mutex
	until map[netip.Addr]time.Time
}

const (
	junkTime = 10 * time.Second
	maxSlots = 1024
)

// slotOf is one machine: an IPv4 address or an IPv6 /64.
func slotOf(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().Addr()
	}
	return ip
}

func (s *slots) holds(ip netip.Addr, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until[slotOf(ip)])
}

func (s *slots) take(ip netip.Addr, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = map[netip.Addr]time.Time{}
	}
	for held, until := range s.until {
		if !now.Before(until) {
			delete(s.until, held)
		}
	}
	for held := range s.until {
		if len(s.until) < maxSlots {
			break
		}
		delete(s.until, held)
	}
	s.until[slotOf(ip)] = now.Add(junkTime)
}

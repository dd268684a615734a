//go:build linux

package netlab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Line is how a host's cable carries frames, each way. The zero value is a cable.
type Line struct {
	Delay time.Duration
	Loss  float64 // percent of frames
	KBit  int     // a second; 0: as fast as it goes
}

const (
	maxFrame = 1 << 17
	// queued is what a slow line holds before it drops, as a cheap router does.
	queued = 2 * time.Second
)

// wire carries frames between two interfaces in the bridge's namespace, for kernels
// without netem. PACKET_VNET_HDR carries checksum and segmentation marks along.
type wire struct {
	line  atomic.Pointer[Line]
	ends  [2]*os.File
	ended chan struct{}
	pumps sync.WaitGroup
}

// Wire makes the cable of host i such a line, now: what is under way is delivered by
// the old one.
func (l *Lab) Wire(i int, line Line) {
	l.t.Helper()
	h := l.Host(i)
	if w := l.wires[i]; w != nil {
		w.line.Store(&line)
		return
	}
	if line == (Line{}) {
		return
	}
	// p is the host's end, r is the bridge's, and the wire runs between p and q.
	l.ip(l.sw, fmt.Sprintf("link set p%[1]d nomaster\nlink add q%[1]d type veth peer name r%[1]d\nlink set r%[1]d master br0 up\nlink set q%[1]d up\n", h.N))
	w := &wire{ended: make(chan struct{})}
	w.line.Store(&line)
	err := l.sw.inside(func() error {
		for n, name := range []string{fmt.Sprintf("p%d", h.N), fmt.Sprintf("q%d", h.N)} {
			f, err := openFrames(name)
			if err != nil {
				return err
			}
			w.ends[n] = f
		}
		return nil
	})
	l.wires[i] = w
	if err != nil {
		l.t.Fatal(err)
	}
	w.carry(w.ends[0], w.ends[1])
	w.carry(w.ends[1], w.ends[0])
}

// openFrames opens what comes in at an interface, whole frames.
func openFrames(name string) (*os.File, error) {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8 // in network order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, all)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	for _, o := range []struct{ level, name, value int }{
		{unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1},
		{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8 << 20},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: ifi.Index}); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

type frame struct {
	due  time.Time
	data []byte
}

// carry carries frames one way until the wire is closed.
func (w *wire) carry(from, to *os.File) {
	way := make(chan frame, 1<<14)
	w.pumps.Go(func() {
		defer close(way)
		buf := make([]byte, maxFrame)
		var free time.Time // when the line has sent what was given to it
		for {
			n, err := from.Read(buf)
			if errors.Is(err, os.ErrClosed) {
				return
			}
			if err != nil { // the interface is down for a moment
				continue
			}
			if f, ok := w.enter(buf[:n], &free); ok {
				select {
				case way <- f:
				default: // full: lost
				}
			}
		}
	})
	w.pumps.Go(func() {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for f := range way {
			timer.Reset(time.Until(f.due))
			select {
			case <-timer.C:
			case <-w.ended:
				return
			}
			_, _ = to.Write(f.data) // a lost frame is what a wire may do
		}
	})
}

// enter decides what becomes of a frame and when it arrives.
func (w *wire) enter(data []byte, free *time.Time) (frame, bool) {
	line := w.line.Load()
	if rand.Float64()*100 < line.Loss {
		return frame{}, false
	}
	due := time.Now()
	if line.KBit > 0 {
		if free.Before(due) {
			*free = due
		}
		if free.Sub(due) > queued {
			return frame{}, false
		}
		*free = free.Add(time.Duration(len(data)) * 8 * time.Millisecond / time.Duration(line.KBit))
		due = *free
	}
	return frame{due.Add(line.Delay), append([]byte(nil), data...)}, true
}

func (w *wire) close() error {
	close(w.ended)
	var errs []error
	for _, end := range w.ends {
		if end != nil {
			errs = append(errs, end.Close())
		}
	}
	w.pumps.Wait()
	return errors.Join(errs...)
}

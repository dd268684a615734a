//go:build !linux

package gate

import (
	"errors"

	"golang.org/x/net/bpf"

	"groove/internal/groove"
)

var errNoFilter = errors.New("only Linux has filters on listening sockets")

func attach(uintptr, []bpf.RawInstruction) error { return errNoFilter }

func detach(uintptr) error { return nil }

func dropped(uintptr) (uint32, error) { return 0, nil }

func try([]bpf.RawInstruction) error { return filterRefusal(errNoFilter) }

func filterRefusal(err error) *groove.Error {
	return groove.Errorf("set kernel filter", groove.KindGateFilter, "%w", err).WithFix("set gate.mode to auto or reset")
}

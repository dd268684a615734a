package federation

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"groove/internal/groove"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxFile bounds a peer's file: eight addresses and a policy take 1 KiB.
	maxFile = 64 << 10
	// maxGate bounds the further sources of one peer.
	maxGate = 64
	// tempPrefix marks files that a crash left half written.
	tempPrefix = ".new-"
	fileEnd    = ".json"
)

// encodePeer writes the file of a peer (docs/protocol.md §11).
func encodePeer(p groove.Peer) ([]byte, error) {
	b, err := json.Marshal(p, jsontext.WithIndent("  "))
	return append(b, '\n'), groove.Wrap("write peer", groove.KindInternal, err)
}

// decodePeer reads the file of a peer and checks every value; the ID is computed
// anew from the key. It fails with KindPeerDamaged.
func decodePeer(data []byte) (groove.Peer, error) {
	var p groove.Peer
	o, err := decodeObject(groove.KindPeerDamaged, data)
	if err != nil {
		return p, err
	}
	if err := o.exactly(groove.KindPeerDamaged, "v", "id", "name", "key", "addresses", "gate", "dial", "roaming", "pairedAt", "mine", "policy"); err != nil {
		return p, err
	}
	policy, err := decodeObject(groove.KindPeerDamaged, o["policy"])
	if err != nil {
		return p, err
	}
	if err := policy.exactly(groove.KindPeerDamaged, "open", "message", "coordinate", "handoff", "projectmap", "files", "registry", "taint", "rate", "rotate"); err != nil {
		return p, err
	}
	if err := strict(groove.KindPeerDamaged, data, &p); err != nil {
		return p, err
	}
	if why := peerFault(p); why != "" {
		return p, groove.Errorf("read peer", groove.KindPeerDamaged, "%s", why)
	}
	return p, nil
}

// peerFault names the first value of p that may not be, "" for none.
func peerFault(p groove.Peer) string {
	key, ok := decodeB64(p.Key, 32)
	switch {
	case p.V != 1:
		return fmt.Sprintf("version %d is not known", p.V)
	case !ok:
		return "key is not 32 bytes of base64url"
	case !p.ID.Valid() || groove.IDOf(key) != p.ID:
		return "the key is not the key of this ID"
	case !slices.Contains([]string{"both", "in", "out"}, p.Dial):
		return "dial is not both, in or out"
	case !slices.Contains([]string{"admitted", "any"}, p.Roaming):
		return "roaming is not admitted or any"
	case len(p.Gate) > maxGate:
		return fmt.Sprintf("gate has more than %d sources", maxGate)
	}
	if err := checkName(p.Name); err != nil {
		return err.Error()
	}
	if err := checkAddresses(p.Addresses, 0); err != nil {
		return err.Error()
	}
	for _, g := range p.Gate {
		if _, ok := parsePrefix(g); !ok && !isHostName(g) {
			return fmt.Sprintf("gate: %.80q is no IP, CIDR or host name", g)
		}
	}
	return policyFault(p.Policy)
}

func policyFault(p groove.Policy) string {
	for name, a := range map[string]groove.Answer{"open": p.Open, "message": p.Message, "coordinate": p.Coordinate,
		"handoff": p.Handoff, "projectmap": p.ProjectMap, "files": p.Files} {
		if a != groove.Allow && a != groove.Ask && a != groove.Deny {
			return "policy." + name + " is not allow, ask or deny"
		}
	}
	switch {
	case !slices.Contains([]string{"none", "linked", "all"}, p.Registry):
		return "policy.registry is not none, linked or all"
	case !slices.Contains([]string{"ask", "scoped", "trust"}, p.Taint):
		return "policy.taint is not ask, scoped or trust"
	case !slices.Contains([]string{"ask", "auto"}, p.Rotate):
		return "policy.rotate is not ask or auto"
	case p.Rate < 0 || p.Rate > 1<<31:
		return "policy.rate is out of bounds"
	}
	return ""
}

// readPeerFile reads one file of the folder. It fails with KindPeerDamaged.
func readPeerFile(path string) (groove.Peer, error) {
	damaged := func(format string, args ...any) (groove.Peer, error) {
		return groove.Peer{}, groove.Errorf("read peer", groove.KindPeerDamaged, format, args...)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return damaged("the file may not be opened: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return damaged("the file may not be read: %w", err)
	case !info.Mode().IsRegular():
		return damaged("it is not a regular file")
	case info.Mode().Perm()&0o022 != 0:
		return damaged("other users may write it (mode %04o, wanted 0600)", info.Mode().Perm())
	case info.Size() > maxFile:
		return damaged("the file is over %d bytes", maxFile)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return damaged("the file may not be read: %w", err)
	}
	p, err := decodePeer(data)
	if err == nil && string(p.ID)+fileEnd != filepath.Base(path) {
		return damaged("it is the file of %s", p.ID.Short())
	}
	return p, err
}

// writeFile puts data at dir/name so that a crash leaves the old file or the new one.
func writeFile(dir, name string, data []byte) (err error) {
	f, err := os.CreateTemp(dir, tempPrefix) // 0600
	if err != nil {
		return writeFailed(err)
	}
	defer func() {
		if err != nil {
			// The next start removes what cannot be removed now.
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return writeFailed(err)
	}
	return writeFailed(syncDir(dir))
}

func removeFile(dir, name string) error {
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return writeFailed(err)
	}
	return writeFailed(syncDir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func writeFailed(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return groove.Errorf("write peer", groove.KindStoreFull, "%w", err).WithFix("free space on the disk that holds $GROOVE_HOME, then start groove again")
	}
	return groove.Wrap("write peer", groove.KindInternal, err)
}

// removeTemps clears what a crash left half written.
func removeTemps(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return groove.Wrap("open peers", groove.KindInternal, err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return groove.Wrap("open peers", groove.KindInternal, err)
}

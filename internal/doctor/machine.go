package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"groove/internal/config"
	"groove/internal/groove"
	"groove/internal/identity"
)

// The disk under a home: what the store needs to go on at all, and to go on in peace.
const (
	leastFree = 4 << 20
	fewFree   = 64 << 20
)

// checkHome looks at the folder: whose it is, and whether it can be written.
func checkHome(_ context.Context, w *world) []Finding {
	f := Finding{Looked: w.Home, Verdict: OK}
	if _, err := os.Stat(w.Home); errors.Is(err, fs.ErrNotExist) {
		f.Verdict, f.Detail = Skipped, "there is none yet; groove start makes it"
		return one(f)
	}
	// First whether it can be written: on a disk that is full or read-only, the rest would fail for that.
	if err := tryWrite(w.Home); err != nil {
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, groove.KindHomeDamaged, "it cannot be written: "+err.Error(), "make it writable for you: chmod 700 "+w.Home
		switch {
		case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EDQUOT):
			f.Kind, f.Detail, f.Fix = groove.KindStoreFull, "the disk is full", "free space on the disk that holds "+w.Home+"; nothing that was acknowledged is lost"
		case errors.Is(err, unix.EROFS):
			f.Detail, f.Fix = "the disk is mounted read-only", "mount it for writing (see dmesg for why it is not), or set GROOVE_HOME to another disk"
		}
		return one(f)
	}
	if err := config.CheckHome(w.Home); err != nil {
		e := groove.AsError(err)
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, e.Kind, e.Why(), e.Fix
		return one(f)
	}
	free, err := freeBytes(w.Home)
	switch {
	case err != nil:
		f.Detail = "free space cannot be told: " + err.Error()
	case free < leastFree:
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, groove.KindStoreFull, fmt.Sprintf("the disk is full: %d KiB are free", free>>10), "free space on the disk that holds "+w.Home
	case free < fewFree:
		f.Verdict, f.Detail, f.Fix = Warn, fmt.Sprintf("%d MiB are free", free>>20), "free space on the disk that holds "+w.Home
	default:
		f.Detail = fmt.Sprintf("yours alone, %d MiB free", free>>20)
	}
	return one(f)
}

// tryWrite writes what a first message would need, and takes it away again.
func tryWrite(home string) error {
	f, err := os.CreateTemp(home, ".doctor-*")
	if err != nil {
		return cause(err)
	}
	_, err = f.Write(make([]byte, 64<<10))
	return cause(errors.Join(err, f.Close(), os.Remove(f.Name())))
}

// cause is an error without the path, which is said anyway.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

func freeBytes(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}

// checkConfig reads the settings as a daemon would.
func checkConfig(_ context.Context, w *world) []Finding {
	c, err := config.Load(w.Home, w.Env, w.Flags)
	if err != nil {
		return one(failed(config.Path(w.Home), err))
	}
	var out []Finding
	for _, p := range c.Problems {
		e := p.Err()
		out = append(out, Finding{Looked: p.Where, Verdict: Fault, Kind: e.Kind, Detail: e.Why(), Fix: or(e.Fix, "groove config edit")})
	}
	if len(out) == 0 {
		out = one(Finding{Looked: config.Path(w.Home), Verdict: OK, Detail: "every setting can be used"})
	}
	return out
}

// checkKey reads the daemon's key. It makes none.
func checkKey(_ context.Context, w *world) []Finding {
	dir := filepath.Join(w.Home, "identity")
	path := filepath.Join(dir, "ed25519.key")
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return one(Finding{Looked: path, Verdict: Skipped, Detail: "there is none yet; the first start makes it"})
	}
	id, err := identity.Load(dir)
	if err != nil {
		return one(failed(path, err))
	}
	return one(Finding{Looked: path, Verdict: OK, Detail: "daemon " + id.ID.Short()})
}

// checkStore reads the first bytes of the store, which every SQLite file begins with.
func checkStore(_ context.Context, w *world) []Finding {
	path := filepath.Join(w.Home, "groove.db")
	f := Finding{Looked: path, Verdict: OK, Detail: "it is a store"}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		f.Verdict, f.Detail = Skipped, "there is none yet; the first start makes it"
		return one(f)
	}
	if err == nil {
		defer file.Close() // only read from
		head := make([]byte, 16)
		if _, err = io.ReadFull(file, head); err == nil && string(head) != "SQLite format 3\x00" {
			err = errors.New("it is no SQLite file")
		}
	}
	if err != nil {
		f.Verdict, f.Kind, f.Detail = Fault, groove.KindHomeDamaged, cause(err).Error()
		f.Fix = "bring back a copy of it that is sound, or move it away and pair again"
	}
	return one(f)
}

// checkPorts tries the ports of a daemon that does not run.
func checkPorts(ctx context.Context, w *world) []Finding {
	if s, err := w.Daemon.Status(ctx); err == nil {
		w.status = &s
		return nil // they are its own
	}
	c, err := config.Load(w.Home, w.Env, w.Flags)
	if err != nil {
		return nil // told by config
	}
	var out []Finding
	if c.API.Port != 0 {
		out = append(out, tryPort(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(c.API.Port)), "api.port"))
	}
	for _, addr := range c.Bridge.Listen {
		out = append(out, tryPort(ctx, addr, "bridge.listen"))
	}
	return out
}

func tryPort(ctx context.Context, addr, key string) Finding {
	f := Finding{Looked: addr + " (" + key + ")", Verdict: OK, Detail: "free"}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case err == nil:
		_ = l.Close() // it was to be free, no more
	case errors.Is(err, syscall.EADDRINUSE):
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, groove.KindPortTaken, "another program listens there", "end it (ss -ltnp shows it), or groove config set "+key+" to another"
	default:
		f.Verdict, f.Kind, f.Detail, f.Fix = Fault, groove.KindConfigInvalid, "nobody can listen there: "+cause(err).Error(), "groove config set "+key+" to an address of this machine"
	}
	return f
}

// checkAdvertised looks at what invites tell others.
func checkAdvertised(_ context.Context, w *world) []Finding {
	if w.status == nil {
		return nil
	}
	all := w.status.Gate.Advertise
	f := Finding{Looked: fmt.Sprint("what invites tell: ", all), Verdict: OK}
	outside := 0
	for _, a := range all {
		if ap, err := netip.ParseAddrPort(a); err != nil || !ap.Addr().IsLoopback() {
			outside++
		}
	}
	if outside == 0 {
		f.Verdict, f.Detail, f.Fix = Warn, "no other machine can reach it", "groove config set bridge.advertise HOST:31416"
	}
	return one(f)
}

func or(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

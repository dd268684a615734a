package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"groove/internal/groove"
)

// SocketPath returns where the daemon of home listens: run/groove.sock in it, or,
// where that is longer than the system allows, a name made of the home's hash in
// $XDG_RUNTIME_DIR or /tmp/groove-UID. It creates nothing.
func SocketPath(home, runtimeDir string) string {
	if path := filepath.Join(home, "run", "groove.sock"); len(path) <= maxSocketPath {
		return path
	}
	sum := sha256.Sum256([]byte(home))
	name := "groove-" + hex.EncodeToString(sum[:6]) + ".sock"
	if path := filepath.Join(runtimeDir, name); filepath.IsAbs(runtimeDir) && len(path) <= maxSocketPath {
		return path
	}
	return filepath.Join("/tmp", "groove-"+strconv.Itoa(os.Getuid()), name)
}

// FindSocket returns the socket of home's daemon: what the daemon wrote into
// run/socket.path, or SocketPath.
func FindSocket(home, runtimeDir string) string {
	b, err := os.ReadFile(filepath.Join(home, "run", "socket.path"))
	if path := strings.TrimSpace(string(b)); err == nil && filepath.IsAbs(path) {
		return path
	}
	return SocketPath(home, runtimeDir)
}

// prepareDir makes the socket's directory, for its owner alone, and refuses one that
// another user made or may write to.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return groove.Wrap("listen", groove.KindInternal, err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return groove.Wrap("listen", groove.KindInternal, err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(st.Uid) != os.Getuid() || info.Mode().Perm()&0o022 != 0 {
		return groove.Errorf("listen", groove.KindForbidden, "%s is not a directory of yours alone", dir).
			WithFix("remove it, or set XDG_RUNTIME_DIR to a directory of yours")
	}
	return nil
}

// removeStale takes away the socket of a daemon that died. The lock on the home, held
// by now, says that no other runs.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return groove.Wrap("listen", groove.KindInternal, err)
	case info.Mode().Type() != fs.ModeSocket:
		return groove.Errorf("listen", groove.KindHomeDamaged, "%s is in the way and is no socket", path).WithFix("move it away")
	}
	return groove.Wrap("listen", groove.KindInternal, os.Remove(path))
}

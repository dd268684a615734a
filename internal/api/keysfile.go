package api

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"groove/internal/groove"
)

// The hashes of browsers' bearers outlive the daemon in a file, a line each: the hash in
// hex, and when it ends in Unix milliseconds. A page goes on over a restart, and who reads
// the file can call nothing with it. Codes and tickets stay in memory.

// saveEvery is how much of a session's life a crash may cost it.
const saveEvery = 10 * time.Minute

// load reads the sessions that have not ended. A file that is damaged has none.
func (k *keys) load(file string) error {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return groove.Wrap("read browsers' sessions", groove.KindInternal, err)
	}
	now := k.clock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.file = file
	for lines := bufio.NewScanner(strings.NewReader(string(b))); lines.Scan(); {
		sum, ends, ok := strings.Cut(lines.Text(), " ")
		raw, bad := hex.DecodeString(sum)
		ms, wrong := strconv.ParseInt(ends, 10, 64)
		if end := time.UnixMilli(ms); ok && bad == nil && wrong == nil && len(raw) == 32 && now.Before(end) && end.Sub(now) <= sessionIdle {
			k.sessions.add([32]byte(raw), now, end)
		}
	}
	return nil
}

// save writes the sessions. The caller holds mu. What cannot be written ends with the
// daemon, as it would without a file.
func (k *keys) save() {
	if k.file == "" {
		return
	}
	k.saved = k.clock()
	var b strings.Builder
	for sum, end := range k.sessions.ends {
		b.WriteString(hex.EncodeToString(sum[:]) + " " + strconv.FormatInt(end.UnixMilli(), 10) + "\n")
	}
	if os.WriteFile(k.file+".new", []byte(b.String()), 0o600) == nil {
		_ = os.Rename(k.file+".new", k.file) // as above
	}
}

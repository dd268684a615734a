package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"groove/internal/groove"
)

// How a daemon was started decides how it is started again.
const (
	howBackground = "background" // groove start
	howForeground = "foreground" // a terminal, or a supervisor that we do not know
	howUser       = "user"       // the user's service
	howSystem     = "system"     // the system's service
)

// serviceVar is set by the service's unit.
const serviceVar = "GROOVE_SERVICE"

// started is how the running daemon was started, kept in run/start.json.
type started struct {
	How   string            `json:"how"`
	Flags map[string]string `json:"flags,omitempty"`
	Exe   string            `json:"exe"`
}

func startedPath(home string) string { return filepath.Join(home, "run", "start.json") }

func readStarted(home string) (started, error) {
	var s started
	b, err := os.ReadFile(startedPath(home))
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	return s, err
}

// writeStarted is called by the daemon's process, which holds the home.
func writeStarted(home string, s started) error {
	b, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(startedPath(home), append(b, '\n'), 0o600)
	}
	return groove.Wrap("start", groove.KindHomeDamaged, err)
}

// runs reports whether a daemon answers on this home. Nothing looks at the lock for
// this: whoever tries it may keep a daemon that starts from taking it.
func (a *app) runs() bool {
	_, err := a.client.Health(a.ctx)
	return err == nil
}

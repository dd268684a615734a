package scripted

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Roles of a history line.
const (
	roleUser  = "user"
	roleAgent = "agent"
)

// line is one prompt or one answer.
type line struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

// history is a session's file, DIR/SESSION.jsonl: one JSON line a prompt or
// answer, each appended by one write. It survives the program's death at any moment; it is not
// synced, so the machine's loss may cost its end.
type history struct {
	id   string
	file *os.File
}

var sessionID = regexp.MustCompile(`^[a-z0-9]{1,64}$`)

func newHistory(dir string) (*history, error) {
	h := &history{id: "scripted" + strings.ToLower(rand.Text())}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	h.file, err = os.OpenFile(h.path(dir), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	return h, err
}

// openHistory reads a session's lines and cuts a torn last one off.
func openHistory(dir, id string) (*history, []line, error) {
	if !sessionID.MatchString(id) {
		return nil, nil, errors.New("not a session of this program")
	}
	h := &history{id: id}
	b, err := os.ReadFile(h.path(dir))
	if err != nil {
		return nil, nil, err
	}
	whole := b[:bytes.LastIndexByte(b, '\n')+1]
	var lines []line
	for raw := range bytes.Lines(whole) {
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return nil, nil, fmt.Errorf("history of %s is damaged: %w", id, err)
		}
		lines = append(lines, l)
	}
	if h.file, err = os.OpenFile(h.path(dir), os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return nil, nil, err
	}
	if len(whole) < len(b) {
		if err := h.file.Truncate(int64(len(whole))); err != nil {
			return nil, nil, errors.Join(err, h.file.Close())
		}
	}
	return h, lines, nil
}

func (h *history) path(dir string) string { return filepath.Join(dir, h.id+".jsonl") }

func (h *history) add(role, text string) error {
	b, err := json.Marshal(line{role, text})
	if err != nil {
		return err
	}
	_, err = h.file.Write(append(b, '\n'))
	return err
}

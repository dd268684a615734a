package acp

import (
	"context"
	"io"

	"groove/internal/groove"
)

// Steer prompts while a turn may be running; see groove.Steerer. Whether the program
// takes that well, its profile says. It fails as Prompt does, but for a turn that runs.
func (s *session) Steer(ctx context.Context, text string, written func()) (groove.TurnResult, error) {
	return s.prompt(ctx, s.join(), text, written)
}

// join counts a prompt into the running turn, or begins one.
func (s *session) join() *turn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil {
		s.now = newTurn(s.spent)
	}
	s.now.prompts++
	return s.now
}

// heard tells of bytes that a program wrote, before anybody understands them.
type heard struct {
	io.Reader
	tell func()
}

func (h heard) Read(b []byte) (int, error) {
	n, err := h.Reader.Read(b)
	if n > 0 {
		h.tell()
	}
	return n, err
}

// listening is the program's output as the launch wants to hear of it.
func listening(out io.Reader, l groove.Launch) io.Reader {
	if l.Heard == nil {
		return out
	}
	return heard{out, l.Heard}
}

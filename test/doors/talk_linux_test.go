package doors

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/test/harness"
)

const talks = `
rules:
  - on: "may I"
    do:
      - ask: {title: "Edit README.md", kind: edit}
  - on: "forever"
    do: [hang: true]
  - for_each: message
    do:
      - tool: {name: groove_send, args: {to: "{{.From}}", text: "echo {{.Text}}", reply_to: "{{.ID}}"}}
default:
  - say: "a line of **some** length that the terminal has to break somewhere, and hello {{.Turn}}\n"
`

// screen is a terminal that a program writes to.
type screen struct {
	master *os.File
	mu     sync.Mutex
	text   bytes.Buffer
	grew   chan struct{}
}

// terminal opens a pseudo-terminal of 80 columns and returns its other end.
func terminal(t *testing.T) (*screen, *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{master: os.NewFile(uintptr(fd), "terminal"), grew: make(chan struct{}, 1)}
	go s.read()
	return s, slave
}

func (s *screen) read() {
	b := make([]byte, 4096)
	for {
		n, err := s.master.Read(b)
		s.mu.Lock()
		s.text.Write(b[:n])
		s.mu.Unlock()
		select {
		case s.grew <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// until waits for a text behind what was seen before.
func (s *screen) until(t *testing.T, want string) {
	t.Helper()
	late := time.After(harness.Patience)
	for {
		s.mu.Lock()
		at := strings.Index(s.text.String(), want)
		if at >= 0 {
			s.text.Next(at + len(want))
		}
		all := s.text.String()
		s.mu.Unlock()
		if at >= 0 {
			return
		}
		select {
		case <-s.grew:
		case <-late:
			t.Fatalf("the terminal never showed %q, but %q", want, all)
		}
	}
}

func (s *screen) keys(t *testing.T, keys string) {
	t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// TestChatAtATerminal has a user talk with an agent: its words, a question of its program, a
// peer's message, an interrupt, and the end.
func TestChatAtATerminal(t *testing.T) {
	bin := os.Getenv("GROOVE_BIN")
	if bin == "" {
		t.Skip("SKIPPED: GROOVE_BIN is not set (make test sets it), so nothing is shown here")
	}
	a := harness.New(t, "laptop", "127.0.0.1").Start()
	b := harness.New(t, "vps", "127.0.0.2").Start()
	harness.Pair(t, a, b)
	a.Spawn("frontend", talks)
	b.Spawn("backend", quiet)
	job := a.Open(b, []groove.AgentName{"frontend"}, []groove.AgentName{"backend"})
	screen, tty := terminal(t)
	cmd := exec.Command(bin, "--home", a.Home, "chat", "frontend")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	screen.until(t, "frontend (idle)> ")
	screen.keys(t, "hi\r")
	screen.until(t, "somewhere, and hello \r\n") // broken at the terminal's width
	screen.until(t, "1\r\n")
	screen.keys(t, "/nonsense\r")
	screen.until(t, "there is no /nonsense here")
	screen.keys(t, "may I?\r")
	screen.until(t, "wants to    edit")
	screen.keys(t, "/yes\r")
	a.Until("the question is answered", func(ctx context.Context) (bool, error) {
		open, err := a.API().Approvals(ctx, false)
		return len(open) == 0, err
	})
	if _, err := b.API().Send(t.Context(), api.MessageRequest{Job: job.ID, To: api.MessageTo{Agent: "frontend"}, Payload: groove.Message{Text: "ready? \x1b[31m"}}); err != nil {
		t.Fatal(err)
	}
	screen.until(t, "◀ peer: user@vps → frontend")
	screen.until(t, "ready? [31m")
	screen.until(t, "▶ to peer: frontend → user@vps")
	is := func(status groove.AgentStatus, turns int) {
		t.Helper()
		a.Until("frontend "+string(status), func(ctx context.Context) (bool, error) {
			got, err := a.API().Agent(ctx, "frontend")
			return got.Status == status && got.Turns == turns, err
		})
	}
	is(groove.AgentIdle, 3)
	screen.keys(t, "forever\r")
	is(groove.AgentRunning, 4)
	screen.until(t, "forever\r\n")
	screen.until(t, "frontend (running)> ")
	screen.keys(t, "\x03")
	is(groove.AgentIdle, 4)
	screen.until(t, "frontend (idle)> ")
	screen.keys(t, "\x04")
	if err := <-ended; err != nil {
		t.Errorf("Ctrl-D: %v", err)
	}
	if got, err := a.API().Agent(t.Context(), "frontend"); err != nil || got.Status != groove.AgentIdle {
		t.Errorf("the agent did not stay: %s, %v", got.Status, err)
	}
}

package tools_test

import (
	"bufio"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"groove/internal/tools"
)

// shim runs Stdio between two pipes and returns the program's ends of them.
func shim(t *testing.T, url, tok string) (io.ReadCloser, io.WriteCloser) {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := tools.Stdio(context.WithoutCancel(t.Context()), url, tok, inR, outW)
		outW.Close()
		done <- err
	}()
	t.Cleanup(func() {
		inW.Close()
		outR.Close()
		if err := <-done; err != nil {
			t.Errorf("shim: %v", err)
		}
	})
	return outR, inW
}

func TestStdioCarriesEverything(t *testing.T) {
	d := newDesk(letter(1, "frontend", "hello"))
	told := make(chan struct{}, 64)
	d.wait = func(ctx context.Context) error {
		select {
		case <-told:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	r, w := shim(t, serve(t, d, tools.WithProgressEvery(time.Millisecond)), token)
	c := mcp.NewClient(&mcp.Implementation{Name: "program", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(context.Context, *mcp.ProgressNotificationClientRequest) { told <- struct{}{} }})
	s, err := c.Connect(t.Context(), &mcp.IOTransport{Reader: r, Writer: w}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if text, _ := call(t, s, "groove_send", map[string]any{"to": "docs", "text": "line\nline \u2028 <b>"}); !strings.HasPrefix(text, "queued") {
		t.Error(text)
	}
	if got := d.drafts[0].Message.Text; got != "line\nline \u2028 <b>" {
		t.Errorf("%q", got)
	}
	p := &mcp.CallToolParams{Name: "groove_wait"}
	p.SetProgressToken("p1")
	res, err := s.CallTool(t.Context(), p)
	if err != nil || !strings.Contains(res.Content[0].(*mcp.TextContent).Text, "hello") {
		t.Fatal(err, res)
	}
	<-d.delivered
}

func TestStdioCancelsACall(t *testing.T) {
	d := newDesk()
	waiting, ended := make(chan struct{}), make(chan error, 1)
	d.wait = func(ctx context.Context) error { close(waiting); <-ctx.Done(); ended <- ctx.Err(); return ctx.Err() }
	_, w := shim(t, serve(t, d), token)
	lines(t, w, `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"groove_wait","arguments":{}}}`)
	<-waiting
	lines(t, w, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`)
	if err := <-ended; err != context.Canceled {
		t.Errorf("it waited to its own end: %v", err)
	}
}

func TestStdioAnswersWhatItCannotCarry(t *testing.T) {
	for _, row := range []struct{ why, url, token, has string }{
		{"no daemon there", "http://127.0.0.1:1/mcp", token, "daemon.notRunning"},
		{"the session's token died", serve(t, newDesk()), "old", "401"},
	} {
		r, w := shim(t, row.url, row.token)
		lines(t, w, `{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{}}`)
		line, err := bufio.NewReader(r).ReadString('\n')
		if err != nil || !strings.Contains(line, `"id":"a"`) || !strings.Contains(line, row.has) || strings.Contains(line, "token-of") {
			t.Errorf("%s: %q %v", row.why, line, err)
		}
	}
}

func lines(t *testing.T, w io.Writer, line string) {
	t.Helper()
	if _, err := io.WriteString(w, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

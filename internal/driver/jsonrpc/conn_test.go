package jsonrpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"groove/internal/driver/jsonrpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type handler struct {
	notify func(method string, params json.RawMessage)
	serve  func(ctx context.Context, method string, params json.RawMessage) (any, *jsonrpc.Error)
}

func (h handler) Notify(method string, params json.RawMessage) {
	if h.notify != nil {
		h.notify(method, params)
	}
}

func (h handler) Serve(ctx context.Context, method string, params json.RawMessage) (any, *jsonrpc.Error) {
	if h.serve == nil {
		return nil, jsonrpc.Errorf(jsonrpc.CodeMethodNotFound, "no %s", method)
	}
	return h.serve(ctx, method, params)
}

// link joins two connections by pipes and runs both until the test ends.
func link(t *testing.T, here, there handler) (a, b *jsonrpc.Conn) {
	t.Helper()
	ar, bw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	br, aw, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	a, b = jsonrpc.New(ar, aw, here), jsonrpc.New(br, bw, there)
	ended := make(chan error, 2)
	go func() { ended <- a.Run() }()
	go func() { ended <- b.Run() }()
	t.Cleanup(func() {
		a.Close()
		b.Close()
		aw.Close()
		bw.Close()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		ar.Close()
		br.Close()
	})
	return a, b
}

func TestAnswerComesAfterWhatWasSaidBefore(t *testing.T) {
	var said []string
	var b *jsonrpc.Conn
	ready := make(chan struct{})
	a, b := link(t,
		handler{notify: func(method string, _ json.RawMessage) { said = append(said, method) }},
		handler{serve: func(ctx context.Context, _ string, params json.RawMessage) (any, *jsonrpc.Error) {
			<-ready
			for i := range 100 {
				if err := b.Notify(ctx, fmt.Sprint("n", i), nil); err != nil {
					return nil, jsonrpc.Errorf(1, "%v", err)
				}
			}
			return params, nil
		}})
	close(ready)
	written, answered := 0, 0
	got, err := a.Do(t.Context(), jsonrpc.Request{Method: "m", Params: map[string]string{"text": "a\nb"},
		Written: func() { written++ }, Answered: func() { answered = len(said) }})
	if err != nil || string(got) != `{"text":"a\nb"}` {
		t.Fatalf("got %s, %v", got, err)
	}
	if written != 1 || answered != 100 {
		t.Errorf("written %d times, answered after %d of 100 notifications", written, answered)
	}
}

func TestRefusalsAreErrors(t *testing.T) {
	a, _ := link(t, handler{}, handler{serve: func(context.Context, string, json.RawMessage) (any, *jsonrpc.Error) {
		return nil, &jsonrpc.Error{Code: -32000, Message: "log in", Data: json.RawMessage(`{"x":1}`)}
	}})
	_, err := a.Do(t.Context(), jsonrpc.Request{Method: "m"})
	var fault *jsonrpc.Error
	if !errors.As(err, &fault) || fault.Code != jsonrpc.CodeAuthRequired || fault.Error() != `log in (-32000): {"x":1}` {
		t.Errorf("got %v", err)
	}
}

func TestWriteToOneThatDoesNotReadEndsWithTheContext(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	c := jsonrpc.New(strings.NewReader(""), w, handler{})
	defer c.Close()
	ctx, cancel := context.WithCancel(t.Context())
	blocked := make(chan error, 1)
	go func() {
		blocked <- c.Notify(ctx, "big", strings.Repeat("x", 1<<20)) // over what a pipe holds
	}()
	if _, err := io.ReadFull(r, make([]byte, 8)); err != nil { // it has begun to write
		t.Fatal(err)
	}
	cancel()
	if err := <-blocked; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := c.Notify(t.Context(), "next", nil); !errors.Is(err, jsonrpc.ErrClosed) {
		t.Errorf("a line followed half a line: %v", err)
	}
}

func TestEndOfInputEndsCalls(t *testing.T) {
	in, w := io.Pipe()
	c := jsonrpc.New(in, io.Discard, handler{})
	ran := make(chan error, 1)
	go func() { ran <- c.Run() }()
	_, err := c.Do(t.Context(), jsonrpc.Request{Method: "m", Written: func() { w.Close() }})
	if !errors.Is(err, jsonrpc.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	long := `{"method":"n","params":"` + strings.Repeat("x", jsonrpc.MaxLine-100) + `"}` + "\n"
	for _, row := range []struct {
		name, in, why string
		want          string
		skipped       int
		err           error
	}{
		{"plain", `{"jsonrpc":"2.0","method":"n","params":{"a":1}}` + "\n", "", `n{"a":1} `, 0, nil},
		{"banner", "starting…\n\n" + `{"method":"n"}` + "\n", "programs greet on stdout", `n `, 2, nil},
		{"array", `[{"method":"n"}]` + "\n", "ACP has no batches", ``, 1, nil},
		{"stray answers", `{"id":7,"result":1}` + "\n" + `{"id":"x","result":1}` + "\n", "nobody waits", ``, 0, nil},
		{"torn", `{"method":"n"}` + "\n" + `{"method":"m"}`, "the last line has no end", `n `, 0, nil},
		{"twice", `{"method":"n","method":"m"}` + "\n", "the last one counts, as in most programs", `m `, 0, nil},
		{"folded", `{"Method":"n"}` + "\n", "names are case-sensitive", ``, 1, nil},
		{"not UTF-8", "{\"method\":\"n\",\"params\":\"\xff\"}\n", "a binary in a tool's output", "n\"�\" ", 0, nil},
		{"empty", `{}` + "\n", "neither method nor id", ``, 1, nil},
		{"10 MiB less a little", long, "570 kB was seen", "n" + long[23:len(long)-2] + " ", 0, nil},
		{"over 10 MiB", strings.Repeat("x", jsonrpc.MaxLine+1), "no memory for a runaway", ``, 0, jsonrpc.ErrTooLong},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got strings.Builder
			c := jsonrpc.New(strings.NewReader(row.in), io.Discard, handler{notify: func(method string, params json.RawMessage) {
				got.WriteString(method + string(params) + " ")
			}})
			err := c.Run()
			if got.String() != row.want || c.Skipped != row.skipped || !errors.Is(err, row.err) {
				t.Errorf("got %.80q, skipped %d, %v; %s", got.String(), c.Skipped, err, row.why)
			}
		})
	}
}

// FuzzLine: whatever a program writes, each message is handed over as valid
// JSON and each line that answers it is valid.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s"}}`,
		`{"jsonrpc":"2.0","id":"a","method":"fs/read_text_file","params":{"path":"/etc/passwd"}}`,
		`{"jsonrpc":"2.0","id":1,"result":{"stopReason":"end_turn"}}`,
		`{"id":1,"error":{"code":-32603.0,"message":"x","data":[1]}}`,
		"{\"id\":{\"\xff\":1},\"method\":\"\xff\"}", `{"id":1e999,"method":"m"}`, "{", "null", "",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var out bytes.Buffer
		c := jsonrpc.New(bytes.NewReader(append(line, '\n')), &out, handler{notify: func(_ string, params json.RawMessage) {
			if params != nil && !json.Valid(params) {
				t.Errorf("params are not JSON: %q", params)
			}
		}})
		if err := c.Run(); err != nil {
			t.Error(err)
		}
		for answer := range bytes.Lines(out.Bytes()) {
			if !json.Valid(answer) {
				t.Errorf("the answer is not JSON: %q", answer)
			}
		}
	})
}

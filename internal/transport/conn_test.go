package transport_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"groove/internal/groove"
)

func TestFramesArriveWholeAndInOrder(t *testing.T) {
	out, in := bridge(t)
	sizes := []int{1, 0, 1024, 125, 126, 65535, 65536, groove.MaxFrame, 3, groove.MaxFrame, 70000, 1}
	sent := make(chan error, 1)
	go func() {
		for i, size := range sizes {
			if err := out.Write(context.Background(), bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i, size := range sizes {
		frame, err := in.Read(t.Context())
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if !bytes.Equal(frame, bytes.Repeat([]byte{byte(i)}, size)) {
			t.Fatalf("frame %d: %d bytes, want %d of its own", i, len(frame), size)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

func TestWritersTakeTurns(t *testing.T) {
	out, in := bridge(t)
	const writers, frames = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range frames {
				if err := out.Write(t.Context(), bytes.Repeat([]byte{byte(w)}, 5000)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range writers * frames {
		frame, err := in.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(frame) != 5000 || bytes.Count(frame, frame[:1]) != 5000 {
			t.Fatalf("a frame of %d bytes mixes writers", len(frame))
		}
	}
	wg.Wait()
}

func TestWriteOverTheLimitIsRefusedHere(t *testing.T) {
	out, in := bridge(t)
	wantKind(t, out.Write(t.Context(), make([]byte, groove.MaxFrame+1)), groove.KindFrameTooLarge)
	if err := out.Write(t.Context(), []byte("next")); err != nil {
		t.Fatalf("the connection did not outlive it: %v", err)
	}
	if frame, err := in.Read(t.Context()); err != nil || string(frame) != "next" {
		t.Errorf("got %q, %v", frame, err)
	}
}

func TestReaderRefuses(t *testing.T) {
	rows := []struct {
		why    string
		send   [][]byte
		want   groove.Kind
		status int
		reason string
	}{
		{"text: the protocol is binary", [][]byte{frame(true, 1, []byte("hello"), 0)},
			groove.KindFrameMalformed, 1003, ""},
		{"declared over 1 MiB, before its bytes come", [][]byte{frame(true, 2, []byte("x"), groove.MaxFrame+1)},
			groove.KindFrameTooLarge, 1008, "frame.tooLarge"},
		{"declared near the end of 63 bits", [][]byte{frame(true, 2, nil, 1<<63-1)},
			groove.KindFrameTooLarge, 1008, "frame.tooLarge"},
		{"declared so that the sum wraps around", [][]byte{frame(false, 2, []byte("x"), 0), frame(true, 0, nil, 1<<64-1)},
			groove.KindFrameTooLarge, 1008, "frame.tooLarge"},
		{"fragments that are small alone and together 1 MiB and a byte",
			[][]byte{frame(false, 2, make([]byte, groove.MaxFrame/2), 0), frame(true, 0, make([]byte, groove.MaxFrame/2+1), 0)},
			groove.KindFrameTooLarge, 1008, "frame.tooLarge"},
		{"1,025 fragments", fragments(1025, 1), groove.KindFrameMalformed, 1008, "frame.malformed"},
		{"1,025 empty fragments, which no size limit finds", fragments(1025, 0), groove.KindFrameMalformed, 1008, "frame.malformed"},
		{"reserved bits", [][]byte{frame(true, 0x42, []byte("x"), 0)}, groove.KindFrameMalformed, 1002, ""},
		{"an opcode that there is not", [][]byte{frame(true, 3, []byte("x"), 0)}, groove.KindFrameMalformed, 1002, ""},
		{"a continuation of nothing", [][]byte{frame(true, 0, []byte("x"), 0)}, groove.KindFrameMalformed, 1002, ""},
		{"a message inside another", [][]byte{frame(false, 2, []byte("x"), 0), frame(true, 2, []byte("x"), 0)},
			groove.KindFrameMalformed, 1002, ""},
		{"a control frame over its 125 bytes", [][]byte{frame(true, 9, make([]byte, 126), 0)}, groove.KindFrameMalformed, 1002, ""},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			c, br, in := rawBridge(t)
			told := make(chan struct{})
			go func() {
				defer close(told)
				defer c.Close() // what a peer does that was told to go
				status, reason := closeFrame(t, br)
				if status != row.status || row.status == 1008 && reason != row.reason {
					t.Errorf("told %d %q, want %d %q", status, reason, row.status, row.reason)
				}
			}()
			// One good frame before: it counts although the bad one may come with it.
			if _, err := c.Write(bytes.Join(append([][]byte{frame(true, 2, []byte("good"), 0)}, row.send...), nil)); err != nil {
				t.Fatal(err)
			}
			if good, err := in.Read(t.Context()); err != nil || string(good) != "good" {
				t.Fatalf("the frame before it: %q, %v", good, err)
			}
			_, err := in.Read(t.Context())
			wantKind(t, err, row.want)
			<-told
			_, err = in.Read(t.Context())
			wantKind(t, err, groove.KindPeerUnreachable)
		})
	}
}

func TestReaderTakesWhatIsAllowed(t *testing.T) {
	rows := []struct {
		why  string
		send [][]byte
		want int
	}{
		{"1,024 fragments", fragments(1024, 3), 3 * 1024},
		{"1 MiB in two", [][]byte{frame(false, 2, make([]byte, groove.MaxFrame/2), 0), frame(true, 0, make([]byte, groove.MaxFrame/2), 0)}, groove.MaxFrame},
		{"a ping between fragments", [][]byte{frame(false, 2, []byte("ab"), 0), frame(true, 9, []byte("ping"), 0), frame(true, 0, []byte("cd"), 0)}, 4},
		{"a second message of 1,024: the count begins anew", append(fragments(1024, 0), fragments(1024, 1)...), 0},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			c, _, in := rawBridge(t)
			stream := bytes.Join(row.send, nil)
			written := make(chan error, 1)
			go func() { // in pieces that no header or payload boundary agrees with
				for len(stream) > 0 {
					n := min(len(stream), 1021)
					if _, err := c.Write(stream[:n]); err != nil {
						written <- err
						return
					}
					stream = stream[n:]
				}
				written <- nil
			}()
			frame, err := in.Read(t.Context())
			if err != nil || len(frame) != row.want {
				t.Errorf("%d bytes, %v, want %d", len(frame), err, row.want)
			}
			if err := <-written; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestFramesThatComeWithTheUpgradeAreRead(t *testing.T) {
	d := newDaemon(t)
	h := serve(t, []ed25519.PublicKey{d.public}, nil)
	c, err := rawDial(t, h, rawConfig(d))
	if err != nil {
		t.Fatal(err)
	}
	// The head and three frames in one record; the last frame is only begun.
	last := frame(true, 2, []byte("third"), 0)
	head := "GET /bridge/1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	if _, err := io.WriteString(c, head+string(frame(true, 2, []byte("first"), 0))+string(frame(true, 2, []byte("second"), 0))+string(last[:3])); err != nil {
		t.Fatal(err)
	}
	in := <-h.bridges
	if _, err := c.Write(last[3:]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first", "second", "third"} {
		if got, err := in.Read(t.Context()); err != nil || string(got) != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestPeerLearnsTheKindOfARefusal(t *testing.T) {
	rows := []struct {
		why        string
		told, want groove.Kind
	}{
		{"a refusal of a connection", groove.KindBadSignature, groove.KindBadSignature},
		{"a refusal of a pairing", groove.KindPairExpired, groove.KindPairExpired},
		{"a local kind never crosses: there it would pass for the peer's own fault", groove.KindHomeDamaged, groove.KindInternal},
		{"a kind that nobody knows", "no.such", groove.KindInternal},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			out, in := bridge(t)
			closed := make(chan error, 1)
			go func() { closed <- in.Close(row.told) }()
			_, err := out.Read(t.Context())
			wantKind(t, err, row.want)
			if err := <-closed; err != nil {
				t.Errorf("Close: %v, the peer did answer", err)
			}
			if err := out.Close(""); err != nil {
				t.Errorf("Close of a closed connection: %v", err)
			}
			wantKind(t, out.Write(t.Context(), []byte("x")), groove.KindPeerUnreachable)
		})
	}
}

func TestForeignCloseReasonIsNotTrusted(t *testing.T) {
	rows := []struct {
		why    string
		status uint16
		reason string
		want   groove.Kind
	}{
		{"a known kind", 1008, "frame.badSeq", groove.KindBadSeq},
		{"a local kind from a peer", 1008, "home.damaged", groove.KindInternal},
		{"an unknown kind", 1008, "surprise", groove.KindInternal},
		{"no reason", 1008, "", groove.KindInternal},
		{"going away", 1001, "", groove.KindPeerUnreachable},
		{"text not taken", 1003, "", groove.KindFrameMalformed},
		{"too big", 1009, "", groove.KindFrameTooLarge},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			c, _, in := rawBridge(t)
			payload := append([]byte{byte(row.status >> 8), byte(row.status)}, row.reason...)
			if _, err := c.Write(frame(true, 8, payload, 0)); err != nil {
				t.Fatal(err)
			}
			_, err := in.Read(t.Context())
			wantKind(t, err, row.want)
		})
	}
}

func TestNormalCloseIsTheEnd(t *testing.T) {
	out, in := bridge(t)
	closed := make(chan error, 1)
	go func() { closed <- out.Close("") }()
	if _, err := in.Read(t.Context()); err != io.EOF {
		t.Errorf("read %v, want io.EOF", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestLostConnection(t *testing.T) {
	c, _, in := rawBridge(t)
	if err := c.NetConn().(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.NetConn().Close()
	_, err := in.Read(t.Context())
	wantKind(t, err, groove.KindPeerUnreachable)
}

func TestCloseEndsReaderAndWriter(t *testing.T) {
	for range 20 { // the reader may or may not wait already when Close begins
		closeEndsBoth(t)
	}
}

func closeEndsBoth(t *testing.T) {
	t.Helper()
	out, in := bridge(t)
	read := make(chan error, 1)
	go func() {
		_, err := in.Read(context.Background())
		read <- err
	}()
	go func() { // the peer answers the close
		for {
			if _, err := out.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	if err := in.Close(groove.KindBadSeq); err != nil {
		t.Error(err)
	}
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v, want net.ErrClosed and not one's own refusal", err)
	}
	if err := in.Write(t.Context(), []byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write: %v, want net.ErrClosed", err)
	}
}

func TestContextEndsABlockedRead(t *testing.T) {
	_, in := bridge(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("shutdown")
	read := make(chan error, 1)
	go func() {
		_, err := in.Read(ctx)
		read <- err
	}()
	cancel(why)
	err := <-read
	wantKind(t, err, groove.KindTimeout)
	if !errors.Is(err, why) {
		t.Errorf("%v does not say why", err)
	}
	_, err = in.Read(t.Context())
	wantKind(t, err, groove.KindPeerUnreachable)
}

func TestContextEndsABlockedWrite(t *testing.T) {
	out, _ := bridge(t)
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan error, 1)
	go func() { // nobody reads: the buffers fill, and it blocks
		for {
			if err := out.Write(ctx, make([]byte, groove.MaxFrame)); err != nil {
				written <- err
				return
			}
		}
	}()
	cancel()
	wantKind(t, <-written, groove.KindTimeout)
}

func TestContextThatEndsAfterItsCallHarmsNothing(t *testing.T) {
	out, in := bridge(t)
	for i := range 200 { // the hello is read under a context of its own, then others follow
		ctx, cancel := context.WithCancel(t.Context())
		if err := out.Write(ctx, fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		got, err := in.Read(ctx)
		cancel()
		if err != nil || string(got) != fmt.Sprint(i) {
			t.Fatalf("frame %d: %q, %v", i, got, err)
		}
	}
}

func TestContextThatEndedBefore(t *testing.T) {
	out, in := bridge(t)
	ctx, cancel := context.WithCancel(t.Context())
	if err := out.Write(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Read(ctx); err != nil {
		t.Fatal(err)
	}
	cancel() // the context of the last calls, which both ends have kept
	_, err := in.Read(ctx)
	wantKind(t, err, groove.KindTimeout)
	wantKind(t, out.Write(ctx, []byte("x")), groove.KindTimeout)
}

// fragments is one message in n fragments of size bytes.
func fragments(n, size int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		opcode := byte(0)
		if i == 0 {
			opcode = 2
		}
		out[i] = frame(i == n-1, opcode, make([]byte, size), 0)
	}
	return out
}

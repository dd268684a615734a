package federation_test

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"groove/internal/federation"
	"groove/internal/groove"
)

// What a joiner says, written from docs/protocol.md §9 and §11 alone, so that the
// tests do not take the code's word for the bytes.

func (h *house) serveDirectly(from *house) *end {
	mine, theirs := h.w.pipe(from, h)
	ctx, p := h.ctx, h.pairing
	h.work.Go(func() { p.Serve(ctx, theirs) })
	return mine
}

// sign is a user's word: 1 yes, 0 no.
func (h *house) sign(transcript []byte, yes byte) []byte {
	return ed25519.Sign(h.key, append(append([]byte("groove-answer-1\n"), transcript...), yes))
}

// guess is the same invite with another secret.
func guess(t *testing.T, line string) string {
	t.Helper()
	inv, err := federation.ParseInvite(line)
	if err != nil {
		t.Fatal(err)
	}
	inv.Secret[0] ^= 1
	if line, err = inv.Line(); err != nil {
		t.Fatal(err)
	}
	return line
}

func dialAndProve(w *world, from, to *house, line string) error {
	w.t.Helper()
	conn, err := from.dial(from.ctx, to.addr, nil)
	if err != nil {
		return err
	}
	return prove(w, from, to, line, conn)
}

type said struct {
	T          string
	Kind       groove.Kind
	Who        json.RawMessage
	Transcript string
	Yes        bool
	Sig        string
}

// prove sends a proof and returns the refusal that answers it, nil for a welcome.
func prove(w *world, from, to *house, line string, conn federation.Conn) error {
	w.t.Helper()
	if err := conn.Write(context.Background(), proofOf(w, from, to, line, conn, `{"name":"`+from.name+`","addresses":["`+from.addr+`"]}`)); err != nil && !errors.Is(err, io.ErrClosedPipe) { // what closed it says why
		return err
	}
	return hear(w, conn).refusal()
}

func proofOf(w *world, from, to *house, line string, conn federation.Conn, who string) []byte {
	w.t.Helper()
	inv, err := federation.ParseInvite(line)
	if err != nil {
		w.t.Fatal(err)
	}
	return fmt.Appendf(nil, `{"t":"proof","v":["1.0"],"mac":%q,"who":%s}`, groove.B64.EncodeToString(macOf(w, from, to, inv, conn)), who)
}

func macOf(w *world, from, to *house, inv federation.Invite, conn federation.Conn) []byte {
	cb := conn.Binding()
	mac := hmac.New(sha256.New, inv.Secret[:])
	mac.Write([]byte("groove-invite-1"))
	mac.Write(cb[:])
	mac.Write(w.pub(to))
	mac.Write(w.pub(from))
	return mac.Sum(nil)
}

func hear(w *world, conn federation.Conn) said {
	w.t.Helper()
	data, err := conn.Read(context.Background())
	if err != nil {
		return said{T: "refuse", Kind: groove.KindOf(err)}
	}
	var m said
	if err := json.Unmarshal(data, &m); err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (m said) refusal() error {
	if m.T == "refuse" {
		return groove.Errorf("pair", m.Kind, "refused")
	}
	return nil
}

// seeds reads the committed corpus of a fuzz target.
func seeds(t *testing.T, target string) [][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		_, value, _ := strings.Cut(string(text), "\n")
		value = strings.TrimSuffix(strings.TrimSpace(value[strings.Index(value, "(")+1:]), ")")
		seed, err := strconv.Unquote(value)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		out = append(out, []byte(seed))
	}
	return out
}

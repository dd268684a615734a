package groove_test

import (
	"testing"

	"pgregory.net/rapid"

	"groove/internal/groove"
)

// TestPlainText: eight bytes at a time stop where one at a time would.
func TestPlainText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte("ab \"\\\x1f\x7f\x80\x00!#[]")))).Draw(t, "text")
		want := 0
		for want < len(b) && b[want] >= ' ' && b[want] < 0x80 && b[want] != '"' && b[want] != '\\' {
			want++
		}
		if got := groove.PlainText(b); got != want {
			t.Fatalf("%d of %q, want %d", got, b, want)
		}
	})
}

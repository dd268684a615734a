package groove

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// PlainText returns how many bytes at the start of b are printable ASCII other
// than quote and backslash: what a JSON string holds as it is. It looks at eight at a
// time, because text is most of what crosses a bridge.
func PlainText(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		// A borrow can only raise a false alarm above the first true one.
		stop := (w | (w - ones*' ') | (quote-ones)&^quote | (slash-ones)&^slash) & tops
		if stop != 0 {
			return n + bits.TrailingZeros64(stop)/8
		}
	}
	for n < len(b) && b[n] >= ' ' && b[n] < utf8.RuneSelf && b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

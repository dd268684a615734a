package federation

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	_ "embed" // of the list of words
	"encoding/binary"
	"slices"
	"strings"

	"groove/internal/groove"
)

// english is the English list of BIP-39: 2,048 words, one a line, sorted. No two
// have the same first four letters, so that they are hard to confuse when read aloud.
//
//go:embed english.txt
var english string

var wordList = strings.Fields(english)

const (
	commitLabel = "groove-pair-1"
	wordsLabel  = "groove-sas-1"
	nonceSize   = 32
	// wordCount words of wordBits bits: who guesses words has one try in 2^55.
	wordCount = 5
	wordBits  = 11
)

// commitmentOf is what the dialler binds itself to before it knows the other nonce.
func commitmentOf(nonce []byte, dialler, listener ed25519.PublicKey) []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(commitLabel), nonce, dialler, listener} {
		h.Write(part) // a hash never fails
	}
	return h.Sum(nil)
}

// wordsOf are the five words that both users compare: the first 55 bits of
// HKDF-SHA-256, most significant first, 11 to a word (docs/protocol.md §9, §12). x is
// both nonces, the dialler's first.
func wordsOf(x []byte, cb [32]byte, dialler, listener ed25519.PublicKey) (string, error) {
	info := string(slices.Concat([]byte(wordsLabel), dialler, listener))
	okm, err := hkdf.Key(sha256.New, x, cb[:], info, 8)
	if err != nil { // only for lengths that are not ours
		return "", groove.Wrap("make words", groove.KindInternal, err)
	}
	bits := binary.BigEndian.Uint64(okm)
	words := make([]string, wordCount)
	for i := range words {
		words[i] = wordList[bits>>(64-wordBits*(i+1))&(1<<wordBits-1)]
	}
	return strings.Join(words, " "), nil
}

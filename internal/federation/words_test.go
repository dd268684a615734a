package federation_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"groove/internal/federation"
)

// TestWordList: the list is BIP-39's, to the byte.
func TestWordList(t *testing.T) {
	b, err := os.ReadFile("english.txt")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda" {
		t.Errorf("it is another list: %x", sum)
	}
	if n := len(strings.Fields(string(b))); n != 2048 {
		t.Errorf("%d words", n)
	}
}

// secondWords computes the words in another way than the code: HKDF written out
// from RFC 5869, and the bits taken from one large number.
func secondWords(t *testing.T, nonceA, nonceB, cb, keyA, keyB []byte) string {
	t.Helper()
	list, err := os.ReadFile("english.txt")
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(bytes.Join(parts, nil))
		return h.Sum(nil)
	}
	prk := mac(cb, nonceA, nonceB)
	okm := new(big.Int).SetBytes(mac(prk, []byte("groove-sas-1"), keyA, keyB, []byte{1}))
	okm.Rsh(okm, 256-55)
	words := make([]string, 5)
	for i := 4; i >= 0; i-- {
		var n big.Int
		okm.DivMod(okm, big.NewInt(2048), &n)
		words[i] = strings.Split(string(list), "\n")[n.Int64()]
	}
	return strings.Join(words, " ")
}

// TestWordsVector is the vector of docs/protocol.md §12.
func TestWordsVector(t *testing.T) {
	keyA := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)).Public().(ed25519.PublicKey)
	keyB := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public().(ed25519.PublicKey)
	nonceA, nonceB, cb := bytes.Repeat([]byte{0xaa}, 32), bytes.Repeat([]byte{0xbb}, 32), bytes.Repeat([]byte{0xcc}, 32)
	words, err := federation.WordsOf(append(bytes.Clone(nonceA), nonceB...), [32]byte(cb), keyA, keyB)
	if err != nil {
		t.Fatal(err)
	}
	if second := secondWords(t, nonceA, nonceB, cb, keyA, keyB); words != second {
		t.Errorf("%q, computed anew %q", words, second)
	}
	commit := sha256.Sum256(bytes.Join([][]byte{[]byte("groove-pair-1"), nonceA, keyA, keyB}, nil))
	if !bytes.Equal(federation.CommitmentOf(nonceA, keyA, keyB), commit[:]) {
		t.Error("the commitment is another one")
	}
	doc, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{words, fmt.Sprintf("%x", commit), fmt.Sprintf("%x", keyA), fmt.Sprintf("%x", keyB)} {
		if !strings.Contains(strings.Join(strings.Fields(string(doc)), " "), want) {
			t.Errorf("docs/protocol.md lacks %s", want)
		}
	}
}

// TestWordsDepend: every input changes the words.
func TestWordsDepend(t *testing.T) {
	base := [][]byte{bytes.Repeat([]byte{1}, 64), bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{3}, 32), bytes.Repeat([]byte{4}, 32)}
	words := func(in [][]byte) string {
		w, err := federation.WordsOf(in[0], [32]byte(in[1]), in[2], in[3])
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	for i, name := range []string{"nonces", "binding", "the dialler's key", "the listener's key"} {
		other := append([][]byte{}, base...)
		other[i] = bytes.Clone(base[i])
		other[i][31] ^= 1
		if words(other) == words(base) {
			t.Errorf("%s: the words stay", name)
		}
	}
	if words([][]byte{base[0], base[1], base[3], base[2]}) == words(base) {
		t.Error("who dialled does not count")
	}
}

package federation

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"time"

	"groove/internal/groove"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxMessage bounds one message of a pairing, in bytes (docs/protocol.md §11).
const maxMessage = 8 << 10

// The labels keep each hash, proof and signature of a pairing from being worth
// anything in another place of the protocol (docs/protocol.md §9, §11).
const (
	inviteLabel     = "groove-invite-1"
	transcriptLabel = "groove-transcript-1\n"
	answerLabel     = "groove-answer-1\n"
)

// who is what a daemon says of itself in a pairing.
type who struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
}

// message is one message of a pairing, decoded: the members that its t has.
type message struct {
	T          string         `json:"t"`
	V          []string       `json:"v"`
	Commit     string         `json:"commit"`
	Nonce      string         `json:"nonce"`
	Mac        string         `json:"mac"`
	Who        jsontext.Value `json:"who"` // from { to } as sent: it is hashed
	Transcript string         `json:"transcript"`
	Yes        bool           `json:"yes"`
	At         groove.Time    `json:"at"`
	Sig        string         `json:"sig"`
	Kind       groove.Kind    `json:"kind"`

	commit, nonce, mac, transcript, sig []byte

	who who
}

// members lists what each message holds, no more and no less.
var members = map[string][]string{
	"commit":  {"t", "v", "commit", "who"},
	"nonce":   {"t", "nonce", "who"},
	"reveal":  {"t", "nonce"},
	"proof":   {"t", "v", "mac", "who"},
	"welcome": {"t", "who"},
	"answer":  {"t", "transcript", "yes", "at", "sig"},
	"ack":     {"t", "transcript", "yes"},
	"refuse":  {"t", "kind"},
}

// refusals are the kinds that may stand in a refuse.
var refusals = []groove.Kind{groove.KindPairBadCommitment, groove.KindPairWordsDiffer, groove.KindPairBadProof,
	groove.KindPairExpired, groove.KindPairNotArmed, groove.KindVersionNone}

// decodeMessage reads one message. It fails with KindPairMalformed.
func decodeMessage(data []byte) (*message, error) {
	const kind = groove.KindPairMalformed
	if len(data) > maxMessage {
		return nil, groove.Errorf("pair", kind, "a message of %d bytes, the limit is %d", len(data), maxMessage)
	}
	o, err := decodeObject(kind, data)
	if err != nil {
		return nil, err
	}
	var t string
	if err := json.Unmarshal(o["t"], &t); err != nil || members[t] == nil {
		return nil, groove.Errorf("pair", kind, "unknown message")
	}
	if err := o.exactly(kind, members[t]...); err != nil {
		return nil, err
	}
	m := &message{}
	if err := strict(kind, data, m); err != nil {
		return nil, err
	}
	if !m.check(o) {
		return nil, groove.Errorf("pair", kind, "a member of %s has a value that may not be", t)
	}
	return m, nil
}

// check reads the members that have a form of their own.
func (m *message) check(o object) bool {
	ok := true
	raw := func(name, text string, size int) []byte {
		if _, there := o[name]; !there {
			return nil
		}
		b, fits := decodeB64(text, size)
		ok = ok && fits
		return b
	}
	m.commit = raw("commit", m.Commit, sha256.Size)
	m.nonce = raw("nonce", m.Nonce, nonceSize)
	m.mac = raw("mac", m.Mac, sha256.Size)
	m.transcript = raw("transcript", m.Transcript, sha256.Size)
	m.sig = raw("sig", m.Sig, ed25519.SignatureSize)
	if m.Who != nil {
		var err error
		m.who, err = decodeWho(m.Who)
		ok = ok && err == nil
	}
	if m.T == "refuse" && !slices.Contains(refusals, m.Kind) {
		return false
	}
	return ok && len(m.V) <= 16
}

func decodeWho(data []byte) (who, error) {
	var w who
	o, err := decodeObject(groove.KindPairMalformed, data)
	if err != nil {
		return w, err
	}
	if err := o.exactly(groove.KindPairMalformed, "name", "addresses"); err != nil {
		return w, err
	}
	if err := strict(groove.KindPairMalformed, data, &w); err != nil {
		return w, err
	}
	if err := checkName(w.Name); err != nil {
		return w, err
	}
	return w, checkAddresses(w.Addresses, 0)
}

// encodeWho writes the exact bytes that are sent and hashed.
func encodeWho(w who) ([]byte, error) {
	if err := checkName(w.Name); err != nil {
		return nil, groove.Wrap("pair", groove.KindConfigInvalid, err)
	}
	if err := checkAddresses(w.Addresses, 0); err != nil {
		return nil, groove.Wrap("pair", groove.KindConfigInvalid, err)
	}
	b, err := json.Marshal(w)
	return b, groove.Wrap("pair", groove.KindInternal, err)
}

// The messages are written by hand: who goes out byte for byte as it was hashed,
// and no other value needs escaping.

func encodeCommit(commit, who []byte) []byte {
	b := []byte(`{"t":"commit","v":["` + groove.ProtocolVersion + `"],"commit":"`)
	b = groove.B64.AppendEncode(b, commit)
	return append(append(append(b, `","who":`...), who...), '}')
}

func encodeNonce(nonce, who []byte) []byte {
	b := groove.B64.AppendEncode([]byte(`{"t":"nonce","nonce":"`), nonce)
	return append(append(append(b, `","who":`...), who...), '}')
}

func encodeReveal(nonce []byte) []byte {
	return append(groove.B64.AppendEncode([]byte(`{"t":"reveal","nonce":"`), nonce), `"}`...)
}

func encodeProof(mac, who []byte) []byte {
	b := []byte(`{"t":"proof","v":["` + groove.ProtocolVersion + `"],"mac":"`)
	b = groove.B64.AppendEncode(b, mac)
	return append(append(append(b, `","who":`...), who...), '}')
}

func encodeWelcome(who []byte) []byte {
	return append(append([]byte(`{"t":"welcome","who":`), who...), '}')
}

func encodeAnswer(transcript []byte, yes bool, at time.Time, sig []byte) []byte {
	b := append(groove.B64.AppendEncode([]byte(`{"t":"answer","transcript":"`), transcript), `","yes":`...)
	b = append(appendBool(b, yes), `,"at":"`...)
	b = at.UTC().AppendFormat(b, groove.TimeFormat)
	b = groove.B64.AppendEncode(append(b, `","sig":"`...), sig)
	return append(b, `"}`...)
}

func encodeAck(transcript []byte, yes bool) []byte {
	b := append(groove.B64.AppendEncode([]byte(`{"t":"ack","transcript":"`), transcript), `","yes":`...)
	return append(appendBool(b, yes), '}')
}

func encodeRefuse(kind groove.Kind) []byte {
	return []byte(`{"t":"refuse","kind":"` + string(kind) + `"}`)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

// proofMAC is what the holder of an invite's secret says on this connection.
func proofMAC(secret []byte, cb [32]byte, inviter, joiner ed25519.PublicKey) []byte {
	h := hmac.New(sha256.New, secret)
	for _, part := range [][]byte{[]byte(inviteLabel), cb[:], inviter, joiner} {
		h.Write(part) // a hash never fails
	}
	return h.Sum(nil)
}

// transcriptOf is what both users say yes to: the connection, both keys, how they
// were proved (both nonces, or the mac of an invite), and what each side said of itself.
func transcriptOf(cb [32]byte, dialler, listener ed25519.PublicKey, x, whoDialler, whoListener []byte) []byte {
	a, b := sha256.Sum256(whoDialler), sha256.Sum256(whoListener)
	h := sha256.New()
	for _, part := range [][]byte{[]byte(transcriptLabel), cb[:], dialler, listener, x, a[:], b[:]} {
		h.Write(part)
	}
	return h.Sum(nil)
}

// answerMessage is what the signature of an answer covers.
func answerMessage(transcript []byte, yes bool) []byte {
	last := byte(0)
	if yes {
		last = 1
	}
	return append(append([]byte(answerLabel), transcript...), last)
}

package federation

import (
	"context"
	"io"
	"net/netip"
	"strings"
	"time"

	"groove/internal/audit"
	"groove/internal/groove"
	"groove/internal/store"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/unicode/norm"
)

const (
	invitePrefix = "groove1:"
	// maxInvite bounds the line, in bytes.
	maxInvite = 1 << 10
	// inviteTime is how long an invite may be used; for as long again its secret
	// is kept, so that a late user is told that it expired.
	inviteTime = 10 * time.Minute
	// maxLive bounds the invites that may be used at one time.
	maxLive = 16
	// burnAt is how many wrong proofs end an invite.
	burnAt     = 3
	secretSize = 16
	anySource  = "any"
)

// Invite is what the line says. Its Secret lets one daemon pair: it is shown
// to nobody but the one who is invited, and never logged.
type Invite struct {
	Addresses []string
	ID        groove.DaemonID
	Secret    [secretSize]byte
	Expires   time.Time // UTC, milliseconds
}

type inviteJSON struct {
	V         int             `json:"v"`
	Addresses []string        `json:"addresses"`
	ID        groove.DaemonID `json:"id"`
	Secret    string          `json:"secret"`
	Expires   groove.Time     `json:"expires"`
}

// Line writes the invite as one line without a line end. It fails with KindInvalid.
func (i Invite) Line() (string, error) {
	if err := checkAddresses(i.Addresses, 1); err != nil {
		return "", err
	}
	if !i.ID.Valid() {
		return "", groove.Errorf("write invite", groove.KindInvalid, "the daemon ID has not 52 characters of base32")
	}
	b, err := json.Marshal(inviteJSON{1, i.Addresses, i.ID, groove.B64.EncodeToString(i.Secret[:]), groove.At(i.Expires)})
	if err != nil {
		return "", groove.Wrap("write invite", groove.KindInvalid, err)
	}
	line := invitePrefix + groove.B64.EncodeToString(b)
	if len(line) > maxInvite {
		return "", groove.Errorf("write invite", groove.KindInvalid, "the line has %d bytes, the limit is %d", len(line), maxInvite).
			WithFix("advertise fewer addresses")
	}
	return line, nil
}

// ParseInvite reads a line exactly as Line writes it, with no space around it.
// It fails with KindPairMalformed.
func ParseInvite(line string) (Invite, error) {
	const kind = groove.KindPairMalformed
	refuse := func(why string) (Invite, error) {
		return Invite{}, groove.Errorf("read invite", kind, "%s", why).
			WithFix("copy the whole line that groove federation invite printed, from groove1: to its end")
	}
	text, ok := strings.CutPrefix(line, invitePrefix)
	if !ok || len(line) > maxInvite || strings.ContainsAny(text, "\r\n") {
		return refuse("it is not one line of groove1:, of at most 1 KiB")
	}
	raw, err := groove.B64.DecodeString(text)
	if err != nil {
		return refuse("it is not base64url")
	}
	o, err := decodeObject(kind, raw)
	if err == nil {
		err = o.exactly(kind, "v", "addresses", "id", "secret", "expires")
	}
	var j inviteJSON
	if err == nil {
		err = strict(kind, raw, &j)
	}
	if err != nil {
		return refuse("it does not hold an invite")
	}
	secret, ok := decodeB64(j.Secret, secretSize)
	if j.V != 1 || !ok || !j.ID.Valid() || checkAddresses(j.Addresses, 1) != nil {
		return refuse("a value in it may not be")
	}
	return Invite{Addresses: j.Addresses, ID: j.ID, Secret: [secretSize]byte(secret), Expires: j.Expires.Time}, nil
}

// InviteRequest is what the user asks for. Making an invite is this user's yes to
// whoever uses it.
type InviteRequest struct {
	For  string // from where it may be used: IPs and CIDRs with commas between, or "any"
	Mine bool   // the other machine is the user's own
	Name string // what to call the peer; "" = what it calls itself
}

// InviteResult is a new invite. Line holds the secret: print it once, log it never.
type InviteResult struct {
	ID      int64 // what Invites lists and Revoke takes
	Line    string
	Expires time.Time
	Sources string // "any", or the CIDRs from which it may be used, with commas between
}

// Invite makes an invite for one use within 10 minutes and opens the gate to its
// sources. It fails with KindInvalid, KindConflict (16 are open), KindConfigInvalid
// (no address of this daemon to print), KindStoreFull.
func (p *Pairing) Invite(ctx context.Context, req InviteRequest) (InviteResult, error) {
	sources, err := parseFor(req.For)
	if err != nil {
		return InviteResult{}, err
	}
	name, err := givenName(req.Name)
	if err != nil {
		return InviteResult{}, err
	}
	now := p.opts.Clock()
	inv := Invite{Addresses: p.opts.Addresses(), ID: p.book.opts.Self, Expires: now.Add(inviteTime).UTC().Truncate(time.Millisecond)}
	if _, err := io.ReadFull(p.opts.Rand, inv.Secret[:]); err != nil {
		return InviteResult{}, groove.Wrap("invite", groove.KindInternal, err)
	}
	line, err := inv.Line()
	if err != nil {
		return InviteResult{}, groove.Errorf("invite", groove.KindConfigInvalid, "this daemon's own addresses make no invite: %w", err).
			WithFix("set bridge.advertise to the host:port at which peers reach this machine")
	}
	var id int64
	err = p.opts.Store.Do(ctx, func(tx *store.Tx) error {
		row, _, err := tx.One("SELECT count(*) FROM invite WHERE "+liveInvite, now.UnixMilli(), burnAt)
		if err != nil {
			return err
		}
		if row.Int(0) >= maxLive {
			return groove.Errorf("invite", groove.KindConflict, "%d invites are open", maxLive).WithFix("groove federation invites revoke ID, or wait until one is used or expires")
		}
		p.opts.Audit.Append(tx, audit.Entry{Event: "invite", Detail: "for " + sources})
		id, err = tx.Insert("INSERT INTO invite(secret, sources, mine, name, expires_at) VALUES(?,?,?,?,?)",
			inv.Secret[:], sources, req.Mine, name, inv.Expires.UnixMilli())
		return err
	})
	if err != nil {
		return InviteResult{}, groove.Wrap("invite", groove.KindInternal, err)
	}
	return InviteResult{ID: id, Line: line, Expires: inv.Expires, Sources: sources}, p.refresh(context.WithoutCancel(ctx))
}

// liveInvite takes the time now and burnAt.
const liveInvite = "secret IS NOT NULL AND spent_at IS NULL AND expires_at > ? AND failures < ?"

// maxSources bounds the sources of one invite.
const maxSources = 16

// parseFor brings the user's words to "any" or to CIDRs with commas between.
func parseFor(s string) (string, error) {
	var out []string
	for word := range strings.SplitSeq(s, ",") {
		word = strings.TrimSpace(word)
		if word == anySource {
			return anySource, nil
		}
		prefix, ok := parsePrefix(word)
		switch {
		case !ok:
			return "", groove.Errorf("invite", groove.KindInvalid, "--for takes IPs, CIDRs or any, not %.80q", word).
				WithFix("groove federation invite --for ADDR, where ADDR is the address the other machine comes from")
		case prefix.Bits() == 0:
			return "", groove.Errorf("invite", groove.KindInvalid, "%s is every address", prefix).WithFix("groove federation invite --for any")
		}
		out = append(out, prefix.String())
	}
	if len(out) > maxSources {
		return "", groove.Errorf("invite", groove.KindInvalid, "%d sources, the limit is %d", len(out), maxSources).WithFix("name a CIDR that holds them")
	}
	return strings.Join(out, ","), nil
}

// sourcesOf reads what parseFor wrote.
func sourcesOf(s string) (prefixes []netip.Prefix, any bool) {
	for word := range strings.SplitSeq(s, ",") {
		if prefix, ok := parsePrefix(word); ok {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes, s == anySource
}

// givenName checks a name that the user typed for a peer; "" is none.
func givenName(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	name = norm.NFC.String(name)
	return name, checkName(name)
}

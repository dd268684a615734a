package daemon

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/approval"
	"groove/internal/federation"
	"groove/internal/groove"
	"groove/internal/store"
)

// Invite is api.Pairer.
func (d *daemon) Invite(ctx context.Context, r api.InviteRequest) (api.Invite, error) {
	made, err := d.pairing.Invite(ctx, federation.InviteRequest{For: strings.Join(r.For, ","), Mine: r.Mine})
	return api.Invite{ID: made.ID, Line: made.Line, Expires: groove.At(made.Expires)}, err
}

// Pair is api.Pairer.
func (d *daemon) Pair(ctx context.Context, r api.PairRequest) (api.Peer, error) {
	p, err := d.pairing.Join(ctx, federation.JoinRequest{Line: r.Invite, Mine: r.Mine, Name: r.Name})
	if err != nil {
		return api.Peer{}, err
	}
	return d.peerOf(p), nil
}

// Arm is api.Pairer.
func (d *daemon) Arm(ctx context.Context, r api.PairRequest) (api.Pairing, error) {
	n := d.changes.now()
	armed, err := d.pairing.Arm(ctx, federation.ArmRequest{Address: r.Address, Mine: r.Mine, Name: r.Name})
	return d.pairingOf(armed, n), err
}

// Pairings is api.Pairer.
func (d *daemon) Pairings(context.Context) ([]api.Pairing, error) {
	n := d.changes.now()
	out := []api.Pairing{}
	for _, a := range d.pairing.Armings() {
		out = append(out, d.pairingOf(a, n))
	}
	return out, nil
}

// Pairing is api.Pairer.
func (d *daemon) Pairing(ctx context.Context, id string, after uint64) (api.Pairing, error) {
	if _, err := d.pairing.Arming(id); err != nil {
		return api.Pairing{}, err
	}
	n := d.changes.now()
	if _, waits := ctx.Deadline(); waits {
		n = d.changes.after(ctx, after)
	}
	armed, err := d.pairing.Arming(id)
	return d.pairingOf(armed, n), err
}

// Confirm is api.Pairer.
func (d *daemon) Confirm(ctx context.Context, id string, r api.ConfirmRequest) (api.Pairing, error) {
	n := d.changes.now()
	armed, err := d.pairing.Confirm(ctx, id, strings.Join(strings.Fields(strings.ToLower(r.Words)), " "), r.Yes)
	return d.pairingOf(armed, n), err
}

// CancelPairing is api.Pairer.
func (d *daemon) CancelPairing(ctx context.Context, id string) (api.Pairing, error) {
	n := d.changes.now()
	armed, err := d.pairing.Cancel(ctx, id)
	return d.pairingOf(armed, n), err
}

// pairingOf is an arming as the API shows it; n counts the changes that it holds.
func (d *daemon) pairingOf(a federation.Armed, n uint64) api.Pairing {
	out := api.Pairing{ID: a.ID, Address: a.Address, State: string(a.State), Words: strings.Fields(a.Words), PeerID: a.Peer, PeerName: a.Name,
		Approval: a.Question, Failures: a.Failures, Next: n}
	if a.State != federation.ArmPaired && a.State != federation.ArmFailed {
		until := groove.At(a.Until)
		out.Until = &until
	}
	if a.Err != nil {
		out.Problem = api.ProblemOf(a.Err)
	}
	if p, ok := d.book.ByID(a.Peer); ok && a.State == federation.ArmPaired {
		peer := d.peerOf(p)
		out.Peer, out.PeerName = &peer, peer.Name
	}
	return out
}

// wordsDetail is what the queue's views show of the question.
type wordsDetail struct {
	Words   []string        `json:"words"`
	Peer    groove.DaemonID `json:"peer"`
	Name    string          `json:"name"`
	Address string          `json:"address"`
}

// askWords puts the words of a pairing before the user.
func (d *daemon) askWords(tx *store.Tx, w federation.Words, within time.Duration) (string, error) {
	detail, err := json.Marshal(wordsDetail{Words: strings.Fields(w.Words), Peer: w.Peer, Name: w.Name, Address: w.Address})
	if err != nil {
		return "", groove.Wrap("ask", groove.KindInternal, err)
	}
	title := "Does " + w.Address + " show these words too? " + w.Words
	return d.approvals.Ask(tx, approval.Question{Kind: approval.PairWords, Ref: w.Ref, Title: title, Detail: string(detail), Expires: within})
}

func (d *daemon) withdrawWords(tx *store.Tx, ref string) error {
	return d.approvals.Withdraw(tx, approval.PairWords, ref)
}

// answerWords does what an answer to the question decides.
func (d *daemon) answerWords(tx *store.Tx, a approval.Approval) error {
	return d.pairing.Answer(tx, a.Ref, a.Yes(), a.State == approval.StateExpired)
}

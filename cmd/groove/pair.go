package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"groove/internal/api"
	"groove/internal/groove"
)

type pairCmd struct {
	Address string `arg:"" optional:"" help:"The other machine: host or host:port. Run the command there too, within 5 minutes, with this machine's address."`
	Words   string `help:"The five words that the other machine shows: yes if they are the same here, no otherwise. Without a terminal." placeholder:"WORDS"`
	Invite  string `help:"Instead of an address: file with an invite; - reads standard input. Never the invite itself: arguments are seen by others." placeholder:"FILE|-"`
	Mine    bool   `help:"The other machine is yours too: jobs open without a question."`
	Name    string `help:"What to call the peer here."`
	Yes     bool   `help:"With an invite: do not ask at the terminal."`
}

// Run pairs by five words or by invite.
func (c *pairCmd) Run(a *app) error {
	switch {
	case (c.Address == "") == (c.Invite == ""):
		return usage("give the other machine's address, or --invite FILE")
	case c.Invite != "" && c.Words != "":
		return usage("an invite has no words")
	case c.Invite != "":
		return c.join(a)
	case c.Words != "" && len(strings.Fields(c.Words)) != 5:
		return usage("--words takes the five words that the other machine shows, in quotes")
	}
	p, err := a.client.Arm(a.ctx, api.PairRequest{Address: c.Address, Mine: c.Mine, Name: c.Name})
	if err != nil {
		return err
	}
	w := &wordsView{app: a, words: strings.Join(strings.Fields(strings.ToLower(c.Words)), " "), asks: isTerminal(a.in), failures: p.Failures}
	return w.follow(p)
}

// wordsView takes one pairing with five words to its end.
type wordsView struct {
	*app
	words    string // that the other machine shows, "" = not given
	asks     bool   // a person sits at the terminal
	failures int    // when the command began
	said     string // the words that were answered here
	state    string // told last
}

// wordPoll is how long one question for news waits.
const wordPoll = 25 * time.Second

func (w *wordsView) follow(p api.Pairing) error {
	for {
		done, err := w.step(&p)
		if w.ctx.Err() != nil {
			return w.callOff(p.ID, w.ctx.Err())
		}
		if done || err != nil {
			return err
		}
		next, err := w.client.Pairing(w.ctx, p.ID, p.Next, wordPoll)
		if w.ctx.Err() != nil {
			return w.callOff(p.ID, w.ctx.Err())
		}
		if err != nil {
			return err
		}
		p = next
	}
}

// step does what the state asks for.
func (w *wordsView) step(p *api.Pairing) (done bool, err error) {
	fresh := w.state != p.State
	w.state = p.State
	switch p.State {
	case "dialling":
		if p.Failures > w.failures || w.said != "" && p.Problem != nil { // one of the two said no, or called it off
			return true, w.callOff(p.ID, w.why(p))
		}
		if fresh {
			fmt.Fprintf(w.err, "Waiting for %s. There: groove federation pair ADDRESS, with this machine's address. Ctrl-C calls it off.\n", plain(p.Address))
		}
	case "words":
		return w.compare(p)
	case "waiting":
		if fresh {
			fmt.Fprintln(w.err, "Your yes stands; waiting for the other machine's.")
		}
	case "paired":
		if p.Peer == nil {
			return true, groove.Errorf("pair", groove.KindPeerUnknown, "it was paired, and is unpaired again").WithFix("groove federation list")
		}
		return true, show(w.app, *p.Peer, nil, w.paired)
	default:
		return true, w.why(p)
	}
	return false, nil
}

func (w *wordsView) why(p *api.Pairing) error {
	if p.Problem != nil {
		return p.Problem.AsError()
	}
	return groove.Errorf("pair", groove.KindPairWordsDiffer, "it was not confirmed on both machines").WithFix("pair again")
}

// compare shows the words and brings the user's word.
func (w *wordsView) compare(p *api.Pairing) (done bool, err error) {
	words := strings.Join(p.Words, " ")
	switch {
	case w.said == words:
		return false, nil // the answer is on its way
	case w.said != "":
		return true, groove.Errorf("pair", groove.KindConflict, "the other machine began anew: there are other words now").WithFix("run the command again, and compare again")
	}
	if w.json && w.words == "" && !w.asks {
		if err := w.printJSON(p); err != nil {
			return true, err
		}
	} else {
		w.showWords(p)
	}
	same := w.words == words
	switch {
	case w.words != "":
		if !same {
			fmt.Fprintln(w.err, "These are not the words that you gave: no.")
		}
	case !w.asks:
		fmt.Fprintf(w.err, "Compare them with the words on the other machine. The same: groove approve %s. Others: groove reject %s\n", p.Approval, p.Approval)
		return true, errWaits
	default:
		if same, err = w.ask(p); err != nil {
			return true, err
		}
		if w.said == words { // answered elsewhere
			return false, nil
		}
	}
	return false, w.confirm(p, words, same)
}

func (w *wordsView) confirm(p *api.Pairing, words string, same bool) error {
	w.said = words
	next, err := w.client.Confirm(w.ctx, p.ID, api.ConfirmRequest{Yes: same, Words: words})
	if groove.KindOf(err) == groove.KindApprovalAnswered {
		return nil // what was answered is told by the next state
	}
	if err != nil {
		return err
	}
	_, err = w.step(&next)
	if err == nil {
		p.Next = 0 // what came meanwhile is looked at at once
	}
	return err
}

func (w *wordsView) showWords(p *api.Pairing) {
	w.printf("\n")
	for i, word := range p.Words {
		w.printf("    %d  %s\n", i+1, strings.ToUpper(plain(word)))
	}
	w.printf("\nThe daemon at %s is %s\nand calls itself %s.\n", plain(p.Address), p.PeerID, cell(p.PeerName, 64))
}

// ask waits for a yes or no at the terminal, or until the words are answered
// elsewhere or replaced.
func (w *wordsView) ask(p *api.Pairing) (bool, error) {
	fmt.Fprint(w.err, "Do both machines show these five words? [yes/no] ")
	type word struct {
		same bool
		err  error
	}
	typed := make(chan word, 1)
	// Reading a terminal cannot be called off: this one ends with the process.
	go func() {
		same, err := w.yesNo()
		typed <- word{same, err}
	}()
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	gone := make(chan api.Pairing, 1)
	go func() { gone <- w.untilOther(ctx, *p) }()
	select {
	case t := <-typed:
		cancel()
		<-gone
		return t.same, t.err
	case next := <-gone:
		if w.ctx.Err() != nil {
			return false, w.ctx.Err()
		}
		fmt.Fprintln(w.err)
		if next.State == "words" {
			return false, groove.Errorf("pair", groove.KindConflict, "the other machine began anew: there are other words now").WithFix("run the command again, and compare again")
		}
		w.said = strings.Join(p.Words, " ")
		p.Next = 0
		return false, nil
	}
}

// untilOther returns the pairing once its words are no longer asked about.
func (w *wordsView) untilOther(ctx context.Context, p api.Pairing) api.Pairing {
	now := p
	for now.State == "words" && slices.Equal(now.Words, p.Words) {
		next, err := w.client.Pairing(ctx, p.ID, now.Next, wordPoll)
		if err != nil {
			return api.Pairing{} // ctx ended, or the daemon: the next call tells
		}
		now = next
	}
	return now
}

// callOff disarms, so that nothing goes on that nobody looks at.
func (w *wordsView) callOff(id string, why error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), 5*time.Second)
	defer cancel()
	if _, err := w.client.CancelPairing(ctx, id); err != nil && groove.KindOf(err) != groove.KindPairNotArmed {
		fmt.Fprintf(w.err, "It could not be called off and ends by itself in 5 minutes: %s\n", plain(err.Error()))
	}
	return why
}

package main

import (
	"slices"
	"strconv"
	"strings"

	"groove/internal/api"
	"groove/internal/groove"
)

type policyCmd struct {
	Peer   string   `arg:"" help:"Name or ID prefix."`
	Change []string `arg:"" optional:"" help:"What to change, as KEY=VALUE; nothing shows what holds." placeholder:"KEY=VALUE"`
}

// Help tells keys and values.
func (*policyCmd) Help() string {
	var b strings.Builder
	for _, k := range policyKeys {
		b.WriteString(k.name + "=" + k.allowed() + ": " + k.about + "\n\n")
	}
	return b.String()
}

// policyKey is one setting of a policy.
type policyKey struct {
	name, about string
	values      []string // none: a number or off
	of          func(groove.Policy) string
	set         func(*api.PolicyRequest, string)
}

func (k policyKey) allowed() string {
	if k.values == nil {
		return "off|1…" + strconv.Itoa(maxRate)
	}
	return strings.Join(k.values, "|")
}

// maxRate is the highest rate that may be said, as for the setting rate.
const maxRate = 1_000_000

var answers = []string{string(groove.Allow), string(groove.Ask), string(groove.Deny)}

// answerKey is a key that says what a policy answers.
func answerKey(name, about string, of func(*groove.Policy) *groove.Answer, to func(*api.PolicyRequest) *groove.Answer) policyKey {
	return policyKey{name, about, answers, func(p groove.Policy) string { return string(*of(&p)) },
		func(r *api.PolicyRequest, v string) { *to(r) = groove.Answer(v) }}
}

var policyKeys = []policyKey{
	answerKey("open", "jobs that it opens with us", func(p *groove.Policy) *groove.Answer { return &p.Open }, func(r *api.PolicyRequest) *groove.Answer { return &r.Open }),
	answerKey("message", "messages to linked agents", func(p *groove.Policy) *groove.Answer { return &p.Message }, func(r *api.PolicyRequest) *groove.Answer { return &r.Message }),
	answerKey("coordinate", "agreements on who may change what", func(p *groove.Policy) *groove.Answer { return &p.Coordinate }, func(r *api.PolicyRequest) *groove.Answer { return &r.Coordinate }),
	answerKey("handoff", "tasks that it hands over", func(p *groove.Policy) *groove.Answer { return &p.Handoff }, func(r *api.PolicyRequest) *groove.Answer { return &r.Handoff }),
	answerKey("projectmap", "its questions about our projects", func(p *groove.Policy) *groove.Answer { return &p.ProjectMap }, func(r *api.PolicyRequest) *groove.Answer { return &r.ProjectMap }),
	answerKey("files", "files", func(p *groove.Policy) *groove.Answer { return &p.Files }, func(r *api.PolicyRequest) *groove.Answer { return &r.Files }),
	{"registry", "which of our agents it sees", []string{"none", "linked", "all"}, func(p groove.Policy) string { return p.Registry }, func(r *api.PolicyRequest, v string) { r.Registry = v }},
	{"taint", "how far its text is trusted in a session", []string{"ask", "scoped", "trust"}, func(p groove.Policy) string { return p.Taint }, func(r *api.PolicyRequest, v string) { r.Taint = v }},
	{"rate", "messages a minute", nil, func(p groove.Policy) string { return rateText(p.Rate) }, setRate},
	{"rotate", "a new key, signed by the old one", []string{"ask", "auto"}, func(p groove.Policy) string { return p.Rotate }, func(r *api.PolicyRequest, v string) { r.Rotate = v }},
}

func rateText(n int64) string {
	if n == 0 {
		return "off"
	}
	return strconv.FormatInt(n, 10)
}

// setRate is called with what fits has let pass.
func setRate(r *api.PolicyRequest, v string) {
	n, _ := strconv.ParseInt(v, 10, 64) // off is 0
	r.Rate = &n
}

func (k policyKey) fits(v string) bool {
	if k.values != nil {
		return slices.Contains(k.values, v)
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return v == "off" || err == nil && n >= 1 && n <= maxRate
}

// Run shows or changes what a peer may do.
func (c *policyCmd) Run(a *app) error {
	r, err := policyRequest(c.Change)
	if err != nil {
		return err
	}
	var p groove.Policy
	if len(c.Change) > 0 {
		p, err = a.client.SetPolicy(a.ctx, c.Peer, r)
	} else {
		p, err = a.client.Policy(a.ctx, c.Peer)
	}
	return show(a, p, err, func(p groove.Policy) {
		var rows [][]string
		for _, k := range policyKeys {
			rows = append(rows, []string{k.name, k.of(p), k.about, k.allowed()})
		}
		table(a.out, "", []string{"KEY", "VALUE", "FOR", "MAY BE"}, rows)
	})
}

// policyRequest reads KEY=VALUE words.
func policyRequest(words []string) (api.PolicyRequest, error) {
	var r api.PolicyRequest
	seen := map[string]bool{}
	for _, w := range words {
		name, value, assigned := strings.Cut(w, "=")
		i := slices.IndexFunc(policyKeys, func(k policyKey) bool { return k.name == name })
		switch {
		case !assigned || i < 0:
			return r, usage("%.80q is not KEY=VALUE with one of the keys %s", w, policyNames())
		case seen[name]:
			return r, usage("%s is said twice", name)
		case !policyKeys[i].fits(value):
			return r, usage("%s may be %s, not %.80q", name, policyKeys[i].allowed(), value)
		}
		seen[name] = true
		policyKeys[i].set(&r, value)
	}
	return r, nil
}

func policyNames() string {
	var names []string
	for _, k := range policyKeys {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// policyWords are the words that may stand behind the peer.
func policyWords() []candidate {
	var out []candidate
	for _, k := range policyKeys {
		for _, v := range k.values {
			out = append(out, candidate{k.name + "=" + v, k.about})
		}
		if k.values == nil {
			out = append(out, candidate{k.name + "=off", k.about})
		}
	}
	return out
}

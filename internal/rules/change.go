package rules

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"groove/internal/groove"
)

// Check fails with KindInvalid where there are too many rules, or one is no rule.
func Check(all []groove.Rule) error {
	if len(all) > groove.MaxRules {
		return groove.Errorf("read rules", groove.KindInvalid, "there are %d rules, the limit is %d", len(all), groove.MaxRules)
	}
	for _, r := range all {
		if err := r.Check(); err != nil {
			return err
		}
		if r.Kind != "execute" && r.Pattern != "" && !doublestar.ValidatePattern(r.Pattern) {
			return groove.Errorf("read rules", groove.KindInvalid, "the rule %q: the pattern is no glob", r)
		}
	}
	return nil
}

// Remember is the rule that would answer requests like this one, and is as narrow as that can be;
// false where no rule could, or none would help.
func Remember(f Facts, v Verdict, answer groove.Answer) (groove.Rule, bool) {
	r := groove.Rule{Answer: answer, Kind: f.Kind}
	switch f.Kind {
	case "read", "edit", "delete", "move", "search":
		r.Pattern = common(f.Places)
	case "execute":
		if single(f.Command) {
			r.Pattern = strings.TrimSpace(f.Command)
		}
	default:
		r.Pattern = literal(f.Tool)
	}
	if r.Pattern == "" || Check([]groove.Rule{r}) != nil {
		return r, false
	}
	if answer == groove.Allow && v.Code == "taint" {
		return r, false // a rule allows it already
	}
	return r, f.fits(r) == yes
}

// common is the place itself, or the directory that all places share.
func common(places []Place) string {
	var dir string
	for i, p := range places {
		name := p.Reads[0].Rel
		if !p.inDir() {
			name = p.Reads[0].Abs
		}
		if len(places) == 1 {
			return literal(name)
		}
		if i == 0 {
			dir = path.Dir(name)
		}
		for !strings.HasPrefix(path.Dir(name)+"/", dir+"/") && dir != "." && dir != "/" {
			dir = path.Dir(dir)
		}
	}
	if dir == "" || dir == "." || dir == "/" {
		return ""
	}
	return literal(filepath.Clean(dir)) + "/**"
}

// literal is a glob that stands for the name alone.
func literal(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`).Replace(name)
}

// Insert puts a rule where it takes effect: a no before all others, a yes before the rule
// that has decided so far, else behind the last.
func Insert(all []groove.Rule, r groove.Rule, before *groove.Rule) []groove.Rule {
	if slices.Contains(all, r) {
		return all
	}
	at := len(all)
	if r.Answer == groove.Deny {
		at = 0
	} else if before != nil {
		if i := slices.Index(all, *before); i >= 0 {
			at = i
		}
	}
	return slices.Insert(slices.Clone(all), at, r)
}

package rules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"groove/internal/groove"
	"groove/internal/rules"
	"groove/internal/scope"
)

// project is a directory with a link in it that leads out.
func project(t testing.TB) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "p")
	for _, sub := range []string{"src", "docs", ".git/hooks"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Dir(dir), filepath.Join(dir, "src", "out")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func places(t testing.TB, dir string, globs []string, paths ...string) []rules.Place {
	t.Helper()
	s, err := scope.New(dir, globs)
	if err != nil {
		t.Fatal(err)
	}
	return rules.Locate(dir, s, paths)
}

func parse(t testing.TB, lines ...string) (out []groove.Rule) {
	t.Helper()
	for _, line := range lines {
		r, err := groove.ParseRule(line)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestDecide(t *testing.T) {
	dir := project(t)
	abs := func(rel string) string { return filepath.Join(dir, rel) }
	for _, row := range []struct {
		why      string
		kind     string
		tool     string
		command  string
		paths    []string
		globs    []string // the scope; none: not judged
		rules    []string
		defaults []string
		taint    rules.Taint
		own      bool
		want     groove.Answer
		code     string
	}{
		{why: "nothing is said: the user is asked", kind: "edit", paths: []string{"src/a"}, want: groove.Ask, code: "none"},
		{why: "a tool of groove's own", own: true, kind: "other", rules: []string{"deny *"}, taint: rules.Always, want: groove.Allow, code: "own"},

		{why: "a write outside the scope, whatever the rules say", kind: "edit", paths: []string{"docs/a"}, globs: []string{"src/**"}, rules: []string{"allow *"}, want: groove.Deny, code: "scope"},
		{why: "one of several outside", kind: "edit", paths: []string{"src/a", "docs/a"}, globs: []string{"src/**"}, rules: []string{"allow edit"}, want: groove.Deny, code: "scope"},
		{why: "deleting is writing", kind: "delete", paths: []string{"docs/a"}, globs: []string{"src/**"}, want: groove.Deny, code: "scope"},
		{why: "moving is writing, at both ends", kind: "move", paths: []string{"src/a", "docs/a"}, globs: []string{"src/**"}, want: groove.Deny, code: "scope"},
		{why: "out by dots", kind: "edit", paths: []string{"src/../docs/a"}, globs: []string{"src/**"}, rules: []string{"allow edit"}, want: groove.Deny, code: "scope"},
		{why: "out by a link", kind: "edit", paths: []string{"src/out/x"}, globs: []string{"src/**"}, rules: []string{"allow edit"}, want: groove.Deny, code: "scope"},
		{why: "a home that the program may look up", kind: "edit", paths: []string{"~/.ssh/authorized_keys"}, globs: []string{"**"}, rules: []string{"allow edit"}, want: groove.Deny, code: "scope"},
		{why: "an address in place of a path", kind: "read", paths: []string{"file:///etc/passwd"}, rules: []string{"allow read:**"}, want: groove.Ask, code: "none"},
		{why: "hooks are in nobody's scope", kind: "edit", paths: []string{".git/hooks/pre-commit"}, globs: []string{"**"}, rules: []string{"allow edit"}, want: groove.Deny, code: "scope"},
		{why: "inside the scope the rules decide", kind: "edit", paths: []string{"src/a"}, globs: []string{"src/**"}, rules: []string{"allow edit"}, want: groove.Allow, code: "rule"},
		{why: "the scope is about writing", kind: "read", paths: []string{"docs/a"}, globs: []string{"src/**"}, rules: []string{"allow read"}, want: groove.Allow, code: "rule"},
		{why: "a command is not judged by path", kind: "execute", command: "touch docs/a", paths: []string{"docs/a"}, globs: []string{"src/**"}, rules: []string{"allow execute:touch docs/a"}, want: groove.Allow, code: "rule"},
		{why: "no place known: not judged by scope", kind: "edit", globs: []string{"src/**"}, want: groove.Ask, code: "none"},
		{why: "no scope: nothing is outside of it", kind: "edit", paths: []string{"/etc/x"}, want: groove.Ask, code: "none"},

		{why: "the first that fits decides", kind: "edit", paths: []string{"src/a"}, rules: []string{"ask edit:src/a", "allow edit"}, want: groove.Ask, code: "rule"},
		{why: "the agent's rules come before the settings'", kind: "read", paths: []string{"src/a"}, rules: []string{"allow read"}, defaults: []string{"deny read"}, want: groove.Allow, code: "rule"},
		{why: "the settings' come then", kind: "read", paths: []string{"src/a"}, rules: []string{"allow edit"}, defaults: []string{"deny read"}, want: groove.Deny, code: "default"},
		{why: "a rule for all kinds", kind: "fetch", rules: []string{"deny *"}, want: groove.Deny, code: "rule"},
		{why: "an unknown kind fits the rules for all kinds alone", kind: "frobnicate", rules: []string{"allow other", "deny *"}, want: groove.Deny, code: "rule"},
		{why: "no kind is not the kind other", rules: []string{"allow other"}, want: groove.Ask, code: "none"},

		{why: "a path by glob", kind: "edit", paths: []string{"src/x/a.go"}, rules: []string{"allow edit:src/**/*.go"}, want: groove.Allow, code: "rule"},
		{why: "an absolute path in the directory counts from there", kind: "edit", paths: []string{abs("src/a.go")}, rules: []string{"allow edit:src/*.go"}, want: groove.Allow, code: "rule"},
		{why: "a directory without a glob covers what is in it", kind: "edit", paths: []string{"src/x/a"}, rules: []string{"allow edit:src"}, want: groove.Allow, code: "rule"},
		{why: "a name that only begins alike", kind: "edit", paths: []string{"src2/a"}, rules: []string{"allow edit:src"}, want: groove.Ask, code: "none"},
		{why: "to allow, all must fit", kind: "edit", paths: []string{"src/a", "docs/a"}, rules: []string{"allow edit:src/**"}, want: groove.Ask, code: "none"},
		{why: "to forbid, one is enough", kind: "edit", paths: []string{"src/a", "docs/a"}, rules: []string{"deny edit:docs/**", "allow edit"}, want: groove.Deny, code: "rule"},
		{why: "a link that leads out is not allowed by its name", kind: "read", paths: []string{"src/out/secret"}, rules: []string{"allow read:src/**"}, want: groove.Ask, code: "none"},
		{why: "a forbidden file by another name", kind: "read", paths: []string{"src/out/p/docs/a"}, rules: []string{"deny read:docs/**", "allow read"}, want: groove.Deny, code: "rule"},
		{why: "a pattern from the root", kind: "read", paths: []string{"/usr/include/stdio.h"}, rules: []string{"allow read:/usr/include/**"}, want: groove.Allow, code: "rule"},
		{why: "a relative pattern never reaches out", kind: "read", paths: []string{"/etc/passwd"}, rules: []string{"allow read:**"}, want: groove.Ask, code: "none"},
		{why: "no place known: a pattern does not allow", kind: "edit", rules: []string{"allow edit:src/**"}, want: groove.Ask, code: "none"},
		{why: "no place known: who forbids some is asked about all", kind: "edit", rules: []string{"deny edit:docs/**", "allow edit"}, want: groove.Ask, code: "unclear"},
		{why: "a repository's own files are not written unasked", kind: "edit", paths: []string{".git/hooks/pre-commit"}, rules: []string{"allow edit"}, want: groove.Ask, code: "git"},

		{why: "a command", kind: "execute", command: "go test ./...", rules: []string{"allow execute:go test"}, want: groove.Allow, code: "rule"},
		{why: "the command alone", kind: "execute", command: "go test", rules: []string{"allow execute:go test"}, want: groove.Allow, code: "rule"},
		{why: "whole words", kind: "execute", command: "go testify", rules: []string{"allow execute:go test"}, want: groove.Ask, code: "none"},
		{why: "no command known", kind: "execute", rules: []string{"allow execute:go test"}, want: groove.Ask, code: "none"},
		{why: "no command known, and some are forbidden", kind: "execute", rules: []string{"deny execute:rm", "allow execute"}, want: groove.Ask, code: "unclear"},
		{why: "a forbidden command behind another", kind: "execute", command: "cd x && sudo /bin/rm -rf y", rules: []string{"deny execute:rm", "allow execute"}, want: groove.Deny, code: "rule"},
		{why: "a forbidden command in a shell", kind: "execute", command: `sh -c "A=1 rm -rf y"`, rules: []string{"deny execute:rm", "allow execute"}, want: groove.Deny, code: "rule"},
		{why: "a forbidden word elsewhere in a command", kind: "execute", command: "echo rm", rules: []string{"deny execute:rm", "allow execute"}, want: groove.Allow, code: "rule"},

		{why: "a tool by name", kind: "other", tool: "deploy_preview", rules: []string{"allow other:deploy_*"}, want: groove.Allow, code: "rule"},
		{why: "another tool", kind: "other", tool: "drop_tables", rules: []string{"allow other:deploy_*"}, want: groove.Ask, code: "none"},
		{why: "a tool whose name is not told", kind: "fetch", rules: []string{"allow fetch:web_*"}, want: groove.Ask, code: "none"},

		{why: "text of a peer: nothing is allowed unasked", kind: "edit", paths: []string{"src/a"}, globs: []string{"src/**"}, rules: []string{"allow edit"}, taint: rules.Always, want: groove.Ask, code: "taint"},
		{why: "text of a peer: a default allows nothing either", kind: "read", paths: []string{"src/a"}, defaults: []string{"allow *"}, taint: rules.Always, want: groove.Ask, code: "taint"},
		{why: "text of a peer: a no stays a no", kind: "edit", paths: []string{"src/a"}, rules: []string{"deny edit"}, taint: rules.Always, want: groove.Deny, code: "rule"},
		{why: "scoped: an edit within", kind: "edit", paths: []string{"src/a"}, globs: []string{"src/**"}, rules: []string{"allow edit"}, taint: rules.Within, want: groove.Allow, code: "rule"},
		{why: "scoped: an edit outside of the directory", kind: "edit", paths: []string{"/tmp/a"}, rules: []string{"allow edit"}, taint: rules.Within, want: groove.Ask, code: "taint"},
		{why: "scoped: a read within the directory", kind: "read", paths: []string{"docs/a"}, globs: []string{"src/**"}, rules: []string{"allow read"}, taint: rules.Within, want: groove.Allow, code: "rule"},
		{why: "scoped: a read outside", kind: "read", paths: []string{"/etc/passwd"}, rules: []string{"allow read"}, taint: rules.Within, want: groove.Ask, code: "taint"},
		{why: "scoped: a read through a link", kind: "read", paths: []string{"src/out/x"}, rules: []string{"allow read"}, taint: rules.Within, want: groove.Ask, code: "taint"},
		{why: "scoped: an edit of no known place", kind: "edit", rules: []string{"allow edit"}, taint: rules.Within, want: groove.Ask, code: "taint"},
		{why: "scoped: a command", kind: "execute", command: "go test", rules: []string{"allow execute"}, taint: rules.Within, want: groove.Ask, code: "taint"},
		{why: "scoped: what fetches can carry off", kind: "fetch", paths: []string{"src/a"}, rules: []string{"allow fetch"}, taint: rules.Within, want: groove.Ask, code: "taint"},
	} {
		t.Run(row.why, func(t *testing.T) {
			v := rules.Decide(rules.Facts{Kind: row.kind, Tool: row.tool, Command: row.command, Places: places(t, dir, row.globs, row.paths...), Own: row.own,
				Scoped: len(row.globs) > 0, Rules: parse(t, row.rules...), Defaults: parse(t, row.defaults...), Taint: row.taint, Tainted: []string{"vps"}})
			if v.Answer != row.want || v.Code != row.code || v.Reason == "" {
				t.Errorf("%+v, want %s %s", v, row.want, row.code)
			}
		})
	}
}

// TestHoleCommandBehindAnAllowedOne: what a shell would run besides the allowed command.
func TestHoleCommandBehindAnAllowedOne(t *testing.T) {
	allow := parse(t, "allow execute:go test")
	for _, tail := range []string{"; rm -rf /", "&& rm -rf /", "& rm -rf /", "| sh", "|& sh", "`rm -rf /`", "$(rm -rf /)", "> /etc/passwd", "< /etc/shadow", "<(cat x)",
		"\nrm -rf /", "\rrm -rf /", "\x00rm", "\x1b[A", "${x@P}", "(rm)", "\vrm"} {
		for _, command := range []string{"go test " + tail, "go test" + tail, tail + " go test"} {
			if v := rules.Decide(rules.Facts{Kind: "execute", Command: command, Rules: allow}); v.Answer != groove.Ask {
				t.Errorf("%q is %s", command, v.Answer)
			}
		}
	}
}

// TestDecideProperties: what no set of rules lifts.
func TestDecideProperties(t *testing.T) {
	dir := project(t)
	kinds := []string{"", "read", "edit", "delete", "move", "search", "execute", "fetch", "other", "frobnicate"}
	paths := []string{"src/a", "docs/a", "/etc/passwd", "src/out/x", ".git/config", "src/../docs/b", ".", "../q"}
	rule := rapid.Custom(func(t *rapid.T) groove.Rule {
		return groove.Rule{Answer: rapid.SampledFrom([]groove.Answer{groove.Allow, groove.Ask, groove.Deny}).Draw(t, "answer"),
			Kind:    rapid.SampledFrom([]string{"*", "read", "edit", "delete", "move", "execute", "other", "fetch"}).Draw(t, "kind"),
			Pattern: rapid.SampledFrom([]string{"", "**", "/**", "src/**", "go", "*"}).Draw(t, "pattern")}
	})
	rapid.Check(t, func(rt *rapid.T) {
		globs := rapid.SampledFrom([][]string{nil, {"src/**"}, {"**"}}).Draw(rt, "scope")
		f := rules.Facts{Kind: rapid.SampledFrom(kinds).Draw(rt, "kind"), Tool: rapid.SampledFrom([]string{"", "go"}).Draw(rt, "tool"),
			Command: rapid.SampledFrom([]string{"", "go test", "go test; rm x"}).Draw(rt, "command"),
			Places:  places(t, dir, globs, rapid.SliceOfN(rapid.SampledFrom(paths), 0, 3).Draw(rt, "paths")...),
			Scoped:  globs != nil, Rules: rapid.SliceOfN(rule, 0, 4).Draw(rt, "rules"), Defaults: rapid.SliceOfN(rule, 0, 2).Draw(rt, "defaults"),
			Taint: rapid.SampledFrom([]rules.Taint{rules.Trust, rules.Within, rules.Always}).Draw(rt, "taint")}
		v := rules.Decide(f)
		if v.Answer == groove.Allow && f.Taint == rules.Always {
			rt.Fatalf("allowed under text of a peer: %+v", v)
		}
		for _, p := range f.Places {
			if (f.Kind == "edit" || f.Kind == "delete" || f.Kind == "move") && f.Scoped && !p.InScope && v.Answer != groove.Deny {
				rt.Fatalf("a write outside the scope is %+v", v)
			}
		}
		clean := f
		clean.Taint = rules.Trust
		if before := rules.Decide(clean); before.Answer != groove.Allow && v.Answer != before.Answer {
			rt.Fatalf("taint made %s of %s", v.Answer, before.Answer)
		}
		if r, ok := rules.Remember(f, v, groove.Allow); ok {
			f.Rules = rules.Insert(f.Rules, r, v.Rule)
			if after := rules.Decide(f); after.Answer == groove.Ask && after.Code != "taint" && after.Code != "git" && v.Answer == groove.Ask && v.Code == "none" {
				rt.Fatalf("%q is kept and does not answer: %+v", r, after)
			}
		}
	})
}

func TestRemember(t *testing.T) {
	dir := project(t)
	for _, row := range []struct {
		why, kind, tool, command string
		paths                    []string
		want                     string
	}{
		{why: "one file", kind: "edit", paths: []string{"src/a.go"}, want: "allow edit:src/a.go"},
		{why: "a file whose name is a glob", kind: "edit", paths: []string{"src/[id].tsx"}, want: `allow edit:src/\[id].tsx`},
		{why: "several of one directory", kind: "edit", paths: []string{"src/x/a", "src/x/y/b"}, want: "allow edit:src/x/**"},
		{why: "several that share nothing", kind: "edit", paths: []string{"src/a", "docs/a"}},
		{why: "a file outside", kind: "read", paths: []string{"/usr/include/x.h"}, want: "allow read:/usr/include/x.h"},
		{why: "a link that leads out is kept by nothing", kind: "read", paths: []string{"src/out/x"}},
		{why: "no place", kind: "edit"},
		{why: "a command", kind: "execute", command: "go test ./...", want: "allow execute:go test ./..."},
		{why: "two commands", kind: "execute", command: "go test; rm x"},
		{why: "a tool", kind: "other", tool: "deploy", want: "allow other:deploy"},
		{why: "an unknown kind", kind: "frobnicate", tool: "x"},
	} {
		f := rules.Facts{Kind: row.kind, Tool: row.tool, Command: row.command, Places: places(t, dir, nil, row.paths...)}
		r, ok := rules.Remember(f, rules.Decide(f), groove.Allow)
		if ok != (row.want != "") || ok && r.String() != row.want {
			t.Errorf("%s: %q %v, want %q", row.why, r, ok, row.want)
		}
	}
}

func TestInsert(t *testing.T) {
	all := parse(t, "deny edit:docs", "ask edit")
	for _, row := range []struct{ why, rule, before, want string }{
		{"a yes before the rule that asked", "allow edit:src", "ask edit", "deny edit:docs,allow edit:src,ask edit"},
		{"a yes that no rule decided", "allow read", "", "deny edit:docs,ask edit,allow read"},
		{"a no before all", "deny read", "ask edit", "deny read,deny edit:docs,ask edit"},
		{"one that is there", "ask edit", "", "deny edit:docs,ask edit"},
		{"before one that is gone", "allow read", "ask read", "deny edit:docs,ask edit,allow read"},
	} {
		var before *groove.Rule
		if row.before != "" {
			before = &parse(t, row.before)[0]
		}
		var got []string
		for _, r := range rules.Insert(all, parse(t, row.rule)[0], before) {
			got = append(got, r.String())
		}
		if strings.Join(got, ",") != row.want {
			t.Errorf("%s: %s", row.why, got)
		}
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	for why, line := range map[string]string{"no kind": "allow", "an answer that is none": "maybe edit", "a kind that is none": "allow edits",
		"a pattern over 500 bytes": "allow edit:" + strings.Repeat("x", 501), "a line break": "allow execute:go\ntest"} {
		if _, err := groove.ParseRule(line); groove.KindOf(err) != groove.KindInvalid {
			t.Errorf("%s: %v", why, err)
		}
	}
	if err := rules.Check([]groove.Rule{{Answer: groove.Allow, Kind: "edit", Pattern: "[a"}}); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("a class that is not closed: %v", err)
	}
	if err := rules.Check(make([]groove.Rule, 65)); groove.KindOf(err) != groove.KindInvalid {
		t.Errorf("65 rules: %v", err)
	}
}

package scope_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"groove/internal/scope"
	"pgregory.net/rapid"
)

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"src/**", "src/api/*.ts", true}, {"src/api/**", "src/web/**", false}, {"**/*.ts", "src/**", true},
		{"**/*.ts", "src/*.go", false}, {"packages/*/src/**", "packages/api/**", true}, {"**", "a", true},
		{"a/*/c", "a/b/**", true}, {"a/*/c", "a/b/d", false}, {"a/**/z", "a/z", true}, {"a/*", "a/b/c", false},
		{"a/**/b/**/c", "a/b/x/c", true}, {"*.{ts,tsx}", "app.tsx", true}, {"src/[a-m]*", "src/[n-z]*", false},
		{"src/[a-m]*", "src/k?", true}, {"**/test/**", "src/**/*.go", true}, {"a*b", "ab*", true}, {"a*c", "b*", false},
		{"src/**/x", "lib/**/x", false},
		{"src", "src/api/x.ts", true},                                                // a path covers what is below it
		{"src/", "src/api", true},                                                    // so does a directory
		{"sr?", "src/api", false},                                                    // a glob does not
		{"src/?", "src/é", true},                                                     // a character is not a byte
		{"[!a-y]", "[b-d]", false}, {"[!a-y]", "z", true}, {"[.-0]", "[/-/]", false}, // no name holds a slash
		{`\*`, "a", false}, {`\*`, "*", true}, // escaped
		{"{a,b}/{c,d}", "b/c", true}, {"{a,{b,c}}", "c", true}, {"[", "**", false},
	} {
		if got := scope.Overlap(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
		if got := scope.Overlap(c.b, c.a); got != c.want {
			t.Errorf("%s and %s: %v", c.b, c.a, got)
		}
	}
}

func TestOverlapsAcrossDirectories(t *testing.T) {
	root := t.TempDir()
	at := func(dir string, globs ...string) *scope.Scope {
		s, err := scope.New(filepath.Join(root, dir), globs)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, row := range []struct {
		a, b      *scope.Scope
		of, other string
		want      bool
	}{
		{at("p", "src/**"), at("p", "lib/**", "src/api/*"), "src/**", "src/api/*", true},
		{at("p", "src/**"), at("p", "lib/**"), "", "", false},
		{at("p"), at("p", "lib/**"), "", "lib/**", true},
		{at("p", "packages/**"), at("p/packages/api", "*.go"), "packages/**", "*.go", true},
		{at("p", "*.go"), at("p/packages/api"), "", "", false},
		{at("p"), at("q"), "", "", false},
		{at("p*"), at("pq"), "", "", false}, // a directory's name is no glob
	} {
		if of, other, ok := row.a.Overlaps(row.b); of != row.of || other != row.other || ok != row.want {
			t.Errorf("%v %v and %v %v: %q %q %v", row.a.Dir(), row.a.Globs(), row.b.Dir(), row.b.Globs(), of, other, ok)
		}
	}
}

// paths is every path to three names of a small alphabet.
var paths = func() (out []string) {
	names := []string{"a", "b", "ab", "ba", "aa", "bb", "c"}
	for _, x := range names {
		out = append(out, x)
		for _, y := range names {
			out = append(out, x+"/"+y)
			for _, z := range names[:4] {
				out = append(out, x+"/"+y+"/"+z)
			}
		}
	}
	return out
}()

var globs = rapid.Custom(func(t *rapid.T) string {
	names := rapid.SampledFrom([]string{"a", "b", "*", "**", "a*", "*b", "?", "a?", "[ab]", "[!a]", "[^a-y]", "*a*", "{a,b}", "{a?,b*}", `\a`, "a**"})
	return path.Join(rapid.SliceOfN(names, 1, 4).Draw(t, "names")...)
})

// Whatever two globs hold in common is found, and what is found exists: paths of three
// names are enough for globs of up to three that have no class of their own.
func TestOverlapMissesNothing(t *testing.T) {
	overlaps, rest := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		a, b := globs.Draw(t, "a"), globs.Draw(t, "b")
		got := scope.Overlap(a, b)
		common := ""
		inA, inB := reader(t, a), reader(t, b)
		for _, p := range paths {
			if one, other := inA(p), inB(p); common == "" && one && other {
				common = p
			}
		}
		if common != "" && !got {
			t.Fatalf("%s and %s both hold %s", a, b, common)
		}
		if got {
			overlaps++
		} else {
			rest++
		}
		if scope.Overlap(b, a) != got {
			t.Fatalf("%s and %s overlap one way only", a, b)
		}
		if deep := strings.Count(a, "/") + strings.Count(b, "/"); got && common == "" && deep <= 2 && !strings.Contains(a+b, "[!") && !strings.Contains(a+b, "[^") {
			t.Fatalf("%s and %s are said to overlap, and no path shows it", a, b)
		}
	})
	if overlaps == 0 || rest == 0 {
		t.Errorf("%d overlap and %d do not: nothing was compared", overlaps, rest)
	}
}

// reader says what a glob holds: the overlap with a path that stands for itself, with doublestar as its
// judge. They differ where a class could hold the slash and where ** that follows a star is to be nothing: to
// doublestar a*/** does not hold a, which a/** holds.
func reader(t *rapid.T, glob string) func(string) bool {
	read := glob
	if !strings.ContainsAny(glob, "*?[") { // a path covers what is below it
		read += "/**"
	}
	alike := !strings.Contains(glob, "[!") && !strings.Contains(glob, "[^") && !strings.Contains(glob, "*/**") && !strings.Contains(glob, "*}/**")
	return func(p string) bool {
		// A bracket keeps the path from covering what is below it.
		got := scope.Overlap(glob, "["+p[:1]+"]"+p[1:])
		want, err := doublestar.Match(read, p)
		if err != nil {
			t.Fatal(err)
		}
		if alike && got != want {
			t.Fatalf("%q holds %q: %v, doublestar says %v", glob, p, got, want)
		}
		return got
	}
}

func BenchmarkOverlap(b *testing.B) {
	for b.Loop() {
		scope.Overlap("packages/p1/src/api/**/*.{ts,tsx}", "packages/*/src/api/**")
	}
}

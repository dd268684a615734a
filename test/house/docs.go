package house

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"groove/internal/groove"
)

var (
	citation = regexp.MustCompile(`docs/protocol\.md\s+§(\d+)`)
	required = regexp.MustCompile(`^(?:require\s+)?([^\s()]+)\s+v[^\s]+$`)
	firstRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	kindRow  = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\d+) \\|")
	link     = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```")
)

// Dependencies compares the direct dependencies of go.mod with the rows of
// docs/dependencies.md.
func Dependencies(tree fs.FS) ([]string, error) {
	mod, err := fs.ReadFile(tree, "go.mod")
	if err != nil {
		return nil, err
	}
	page, err := fs.ReadFile(tree, "docs/dependencies.md")
	if err != nil {
		return nil, err
	}
	direct := map[string]bool{}
	for line := range strings.Lines(string(mod)) {
		if hit := required.FindStringSubmatch(strings.TrimSpace(line)); hit != nil {
			direct[hit[1]] = true
		}
	}
	told := map[string]bool{}
	for _, hit := range firstRow.FindAllStringSubmatch(string(page), -1) {
		told[hit[1]] = true
	}
	if len(direct) == 0 || len(told) == 0 {
		return nil, fmt.Errorf("%d direct dependencies in go.mod, %d rows in docs/dependencies.md", len(direct), len(told))
	}
	return append(missing(direct, told, "go.mod requires %s, docs/dependencies.md has no row for it"),
		missing(told, direct, "docs/dependencies.md has a row for %s, go.mod does not require it")...), nil
}

func missing(have, want map[string]bool, format string) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if !want[name] {
			faults = append(faults, fmt.Sprintf(format, name))
		}
	}
	return faults
}

// Kinds compares the kinds of the code, and their HTTP status, with the rows of
// docs/errors.md.
func Kinds(tree fs.FS, kinds []groove.Kind) ([]string, error) {
	page, err := fs.ReadFile(tree, "docs/errors.md")
	if err != nil {
		return nil, err
	}
	told := map[groove.Kind]string{}
	for _, hit := range kindRow.FindAllStringSubmatch(string(page), -1) {
		told[groove.Kind(hit[1])] = hit[2]
	}
	if len(told) == 0 || len(kinds) == 0 {
		return nil, fmt.Errorf("%d kinds in the code, %d rows in docs/errors.md", len(kinds), len(told))
	}
	var faults []string
	for _, k := range slices.Sorted(slices.Values(kinds)) {
		switch status, ok := told[k]; {
		case !ok:
			faults = append(faults, fmt.Sprintf("docs/errors.md has no row for %s", k))
		case status != strconv.Itoa(k.Status()):
			faults = append(faults, fmt.Sprintf("docs/errors.md gives %s the status %s, the code %d", k, status, k.Status()))
		}
		delete(told, k)
	}
	for _, k := range slices.Sorted(maps.Keys(told)) {
		faults = append(faults, fmt.Sprintf("docs/errors.md has a row for %s, the code has no such kind", k))
	}
	return faults, nil
}

// Links finds links in the documents that lead to a file or heading that is
// not there. Links to other hosts are not followed.
func Links(tree fs.FS) ([]string, error) {
	pages := map[string]string{}
	err := files(tree, ".md", func(name string, data []byte) error {
		pages[name] = fenced.ReplaceAllString(string(data), "")
		return nil
	})
	if err != nil {
		return nil, err
	}
	var faults []string
	found := 0
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		for _, hit := range link.FindAllStringSubmatch(pages[name], -1) {
			if strings.Contains(hit[1], "://") || strings.HasPrefix(hit[1], "mailto:") {
				continue
			}
			found++
			if why := broken(tree, pages, name, hit[1]); why != "" {
				faults = append(faults, fmt.Sprintf("%s: the link %s leads nowhere: %s", name, hit[1], why))
			}
		}
	}
	if found == 0 {
		return nil, fmt.Errorf("no links found in %d documents", len(pages))
	}
	return faults, nil
}

func broken(tree fs.FS, pages map[string]string, from, target string) string {
	file, fragment, _ := strings.Cut(target, "#")
	to := from
	if file != "" {
		to = path.Join(path.Dir(from), file)
	}
	if _, err := fs.Stat(tree, to); err != nil {
		return "no such file"
	}
	if fragment == "" {
		return ""
	}
	for _, hit := range heading.FindAllStringSubmatch(pages[to], -1) {
		if anchor(hit[1]) == fragment {
			return ""
		}
	}
	return "no such heading"
}

// anchor is the fragment that forges give to a heading.
func anchor(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

package house

import (
	"fmt"
	"go/ast"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

const checklist = "docs/federation-checklist.md"

var testName = regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z][A-Za-z0-9]*`)

// Checklist finds tests that docs/federation-checklist.md names and the tree does not have.
func Checklist(tree fs.FS) ([]string, error) {
	page, err := fs.ReadFile(tree, checklist)
	if err != nil {
		return nil, err
	}
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, s := range all {
		if !s.test && !strings.HasSuffix(path.Base(s.path), "_test.go") {
			continue
		}
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				there[f.Name.Name] = true
			}
		}
	}
	var faults []string
	named := 0
	for n, line := range strings.Split(string(page), "\n") {
		for _, name := range testName.FindAllString(line, -1) {
			named++
			if !there[name] {
				faults = append(faults, fmt.Sprintf("%s:%d: there is no test %s", checklist, n+1, name))
			}
		}
	}
	if named == 0 {
		return nil, fmt.Errorf("%s names no test", checklist)
	}
	return faults, nil
}

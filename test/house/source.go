package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"io/fs"
	"maps"
	"slices"
	"strconv"
)

// MaxLines is where a file must be asked which two nouns it holds.
const MaxLines = 500

// PackageComments finds packages without a comment.
func PackageComments(tree fs.FS) ([]string, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	said := map[string]bool{}
	for _, s := range all {
		said[s.pkg] = said[s.pkg] || s.file.Doc != nil
	}
	var faults []string
	for _, pkg := range slices.Sorted(maps.Keys(said)) {
		if !said[pkg] {
			faults = append(faults, fmt.Sprintf("%s: no file has a package comment", pkg))
		}
	}
	return faults, nil
}

// LongFiles finds Go files of more than MaxLines lines. Generated files are
// free, and so are the paths in tables.
func LongFiles(tree fs.FS, tables []string) ([]string, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, s := range all {
		lines := s.fset.File(s.file.Pos()).LineCount()
		if lines > MaxLines && !ast.IsGenerated(s.file) && !slices.Contains(tables, s.path) {
			faults = append(faults, fmt.Sprintf("%s: %d lines, over %d: which two nouns is this?", s.path, lines, MaxLines))
		}
	}
	return faults, nil
}

// Sleeps finds time.Sleep in tests: they wait for what they wait for, or run in
// a bubble of testing/synctest and use timers.
func Sleeps(tree fs.FS) ([]string, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var faults []string
	tests := 0
	for _, s := range all {
		if !s.test {
			continue
		}
		tests++
		name := importName(s.file, "time")
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || name == "" || sel.Sel.Name != "Sleep" {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == name {
				faults = append(faults, fmt.Sprintf("%s: a test sleeps", s.at(n.Pos())))
			}
			return true
		})
	}
	if tests == 0 {
		return nil, fmt.Errorf("no test files found")
	}
	return faults, nil
}

// importName is what the file calls the package, "" if it does not import it.
func importName(f *ast.File, pkg string) string {
	for _, spec := range f.Imports {
		if got, err := strconv.Unquote(spec.Path.Value); err != nil || got != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return pkg
	}
	return ""
}

// Citations finds places in Go files that cite a section of docs/protocol.md
// which is not there.
func Citations(tree fs.FS) ([]string, error) {
	page, err := fs.ReadFile(tree, "docs/protocol.md")
	if err != nil {
		return nil, err
	}
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, s := range all {
		for _, group := range s.file.Comments {
			for _, hit := range citation.FindAllStringSubmatch(group.Text(), -1) {
				if !bytes.Contains(page, []byte("\n## "+hit[1]+". ")) {
					faults = append(faults, fmt.Sprintf("%s: docs/protocol.md has no section %s", s.at(group.Pos()), hit[1]))
				}
			}
		}
	}
	return faults, nil
}

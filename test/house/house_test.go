package house_test

import (
	"io/fs"
	"os"
	"testing"

	"groove/internal/groove"
	"groove/test/house"
)

// everyRowStands makes a row of the import table without a package a failure.
const everyRowStands = true

// tables are the files that may be longer than others: nothing but rows.
var tables = []string{}

func TestHouse(t *testing.T) {
	root, err := house.Root()
	if err != nil {
		t.Fatal(err)
	}
	tree := os.DirFS(root)
	checks := []struct {
		name string
		run  func(fs.FS) ([]string, error)
	}{
		{"imports", func(tree fs.FS) ([]string, error) { return house.Imports(tree, house.May, everyRowStands) }},
		{"package comments", house.PackageComments},
		{"long files", func(tree fs.FS) ([]string, error) { return house.LongFiles(tree, tables) }},
		{"sleeping tests", house.Sleeps},
		{"cited sections", house.Citations},
		{"dependencies", house.Dependencies},
		{"kinds", func(tree fs.FS) ([]string, error) { return house.Kinds(tree, groove.Kinds()) }},
		{"links", house.Links},
		{"checklist", house.Checklist},
	}
	for _, check := range checks {
		t.Run(check.name, func(t *testing.T) {
			faults, err := check.run(tree)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range faults {
				t.Error(fault)
			}
		})
	}
}

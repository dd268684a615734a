// Package roles keeps what an agent can be asked to be: a role is a Markdown text of
// instructions, with a title and defaults before it. groove has nine of its own; the
// user's stand in $GROOVE_HOME/roles/NAME.md and replace those of the same name.
//
// It stands beside the hall: a spawn takes a role's text into what it keeps of the
// agent, and the briefing shows it. The files are read anew each time, so an edit holds
// from the next spawn on. It refuses a name that is no role (role.unknown), and a file
// that is damaged (config.invalid): that one is named and left out, never half used.
package roles

import (
	"cmp"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"groove/internal/groove"
)

//go:embed builtin/*.md
var builtin embed.FS

const (
	// maxFile bounds a role's file: what stands in it goes into the context of every session.
	maxFile = 32 << 10
	// maxRoles bounds the user's roles.
	maxRoles = 200
)

// Ambassador is the role of an agent that speaks to a peer for its team.
const Ambassador = "ambassador"

// Role is what an agent can be asked to be.
type Role struct {
	Name    string
	Title   string
	Program string   // used where a spawn names none
	Scope   []string // likewise
	Text    string   // the instructions
	File    string   // the user's file; "" for groove's own
}

// Damaged is a file of the user's that was left out.
type Damaged struct {
	Name string
	File string
	Err  error
}

// Book is the roles of one daemon. It holds no state; the zero value has groove's own.
type Book struct {
	Dir string // of the user's files
}

// All lists the roles by name, and the files that are damaged.
func (b Book) All() ([]Role, []Damaged) {
	byName := map[string]Role{}
	for _, name := range own() {
		r, err := readOwn(name)
		if err == nil { // a test reads them all
			byName[name] = r
		}
	}
	names, err := b.names()
	var bad []Damaged
	if err != nil {
		bad = append(bad, Damaged{File: b.Dir, Err: err})
	}
	for _, name := range names {
		r, err := b.read(name)
		if err != nil {
			bad = append(bad, Damaged{Name: name, File: b.file(name), Err: err})
			delete(byName, name) // what the user meant is not known
			continue
		}
		byName[name] = r
	}
	out := make([]Role, 0, len(byName))
	for _, r := range byName {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Role) int { return cmp.Compare(a.Name, b.Name) })
	return out, bad
}

// Find returns a role. It fails with KindRoleUnknown, naming the known ones, and
// with KindConfigInvalid for a file that is damaged.
func (b Book) Find(name string) (Role, error) {
	if groove.AgentName(name).Valid() {
		r, err := b.read(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
		if slices.Contains(own(), name) {
			return readOwn(name)
		}
	}
	all, _ := b.All()
	known := make([]string, len(all))
	for i, r := range all {
		known[i] = r.Name
	}
	return Role{}, groove.Errorf("find role", groove.KindRoleUnknown, "no role is called %q; known are %s", name, strings.Join(known, ", ")).
		WithFix("write its instructions into " + b.file("NAME") + ", or say what the agent is for with --title")
}

// own lists groove's roles.
func own() []string {
	files, err := fs.Glob(builtin, "builtin/*.md")
	if err != nil {
		return nil // the pattern is sound
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".md")
	}
	return files
}

func readOwn(name string) (Role, error) {
	b, err := builtin.ReadFile("builtin/" + name + ".md")
	if err != nil {
		return Role{}, groove.Wrap("read role", groove.KindInternal, err)
	}
	return parse(name, b)
}

// names are the user's files, by name; a folder that is not there has none.
func (b Book) names() ([]string, error) {
	if b.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(b.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, groove.Wrap("read roles", groove.KindConfigInvalid, err)
	}
	var out []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".md"); ok && !strings.HasPrefix(name, ".") {
			out = append(out, name)
		}
	}
	if len(out) > maxRoles {
		return out[:maxRoles], groove.Errorf("read roles", groove.KindConfigInvalid, "%d files, the first %d were read", len(out), maxRoles)
	}
	return out, nil
}

func (b Book) file(name string) string { return filepath.Join(b.Dir, name+".md") }

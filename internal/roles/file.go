package roles

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"groove/internal/groove"
)

// read returns the user's role of that name. It fails with fs.ErrNotExist where there is
// no such file, and else with KindConfigInvalid.
func (b Book) read(name string) (Role, error) {
	if b.Dir == "" {
		return Role{}, fs.ErrNotExist
	}
	file := b.file(name)
	refuse := func(err error) (Role, error) {
		return Role{}, (&groove.Error{Op: "read role " + file, Kind: groove.KindConfigInvalid, Err: err}).
			WithFix("mend it, or remove it: groove roles NAME prints one that is sound")
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Role{}, err
	case err != nil:
		return refuse(err)
	case !info.Mode().IsRegular(): // opening a pipe would wait for its other end
		return refuse(errors.New("it is no file"))
	}
	f, err := os.Open(file)
	if err != nil {
		return refuse(err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return refuse(err)
	}
	r, err := parse(name, raw)
	if err != nil {
		return refuse(err)
	}
	r.File = file
	return r, nil
}

// front is what may stand before the text, between two lines of ---.
type front struct {
	Title   string   `yaml:"title"`
	Program string   `yaml:"program"`
	Scope   []string `yaml:"scope"`
}

// parse reads a role's file.
func parse(name string, raw []byte) (Role, error) {
	if !groove.AgentName(name).Valid() {
		return Role{}, errors.New("its name is no name: it takes a-z, 0-9, '.', '_' and '-', and ends in .md")
	}
	if len(raw) > maxFile {
		return Role{}, groove.Errorf("read role", groove.KindConfigInvalid, "it is over %d KiB", maxFile>>10)
	}
	text := strings.ReplaceAll(string(raw), "\r\n", "\n")
	if err := checkText(text); err != nil {
		return Role{}, err
	}
	var head front
	if rest, ok := strings.CutPrefix(text, "---\n"); ok {
		yml, body, ended := strings.Cut("\n"+rest, "\n---\n")
		if !ended {
			return Role{}, errors.New("the lines before the text begin with --- and do not end with ---")
		}
		dec := yaml.NewDecoder(bytes.NewReader([]byte(yml)))
		dec.KnownFields(true)
		if err := dec.Decode(&head); err != nil && !errors.Is(err, io.EOF) {
			return Role{}, err
		}
		text = body
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return Role{}, errors.New("it says nothing")
	}
	return Role{Name: name, Title: head.Title, Program: head.Program, Scope: head.Scope, Text: text}, head.check()
}

func (f front) check() error {
	if f.Title != "" {
		if err := groove.CheckLabel("title", f.Title, 120); err != nil {
			return err
		}
	}
	if f.Program != "" {
		if err := groove.CheckLabel("program", f.Program, 64); err != nil {
			return err
		}
	}
	if len(f.Scope) > 20 {
		return groove.Errorf("read role", groove.KindConfigInvalid, "the scope has %d globs, the limit is 20", len(f.Scope))
	}
	for _, glob := range f.Scope {
		if err := groove.CheckLabel("a glob of the scope", glob, 200); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses what no editor writes and a terminal or a model may misread.
func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("it is not UTF-8")
	}
	line := 1
	for _, r := range s {
		switch {
		case r == '\n':
			line++
		case r != '\t' && unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return groove.Errorf("read role", groove.KindConfigInvalid, "line %d holds the control character %U", line, r)
		}
	}
	return nil
}

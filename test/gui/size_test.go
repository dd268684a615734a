package gui

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"path"
	"regexp"
	"testing"

	"groove/internal/gui"
)

// firstLoad is what a browser may fetch for the first view, compressed (the fonts are
// already). The goal is 200 kB.
const firstLoad = 350_000

var named = regexp.MustCompile(`(?:src|href)="/(assets/[^"]+)"`)

// TestFirstLoad adds up the page, what it names, the tree that is the first view, and the
// two fonts of Latin text.
func TestFirstLoad(t *testing.T) {
	files := gui.Files()
	if files == nil {
		lacks(t, "the GUI is not built in (make web)")
	}
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		t.Fatal(err)
	}
	first := map[string]bool{"index.html": true, "theme.js": true}
	for _, m := range named.FindAllSubmatch(page, -1) {
		first[string(m[1])] = true
	}
	if len(first) < 4 {
		t.Fatalf("the page names %v: no script, or no style", first)
	}
	for _, pattern := range []string{"assets/tree-*", "assets/geist-latin-wght-*", "assets/geist-mono-latin-wght-*"} {
		found, err := fs.Glob(files, pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("nothing is called %s: %v", pattern, err)
		}
		for _, name := range found {
			first[name] = true
		}
	}
	sum := 0
	for name := range first {
		n := packed(t, files, name)
		t.Logf("%7d  %s", n, name)
		sum += n
	}
	t.Logf("%7d  together", sum)
	if sum > firstLoad {
		t.Errorf("the first load is %d bytes, over %d", sum, firstLoad)
	}
}

func packed(t *testing.T, files fs.FS, name string) int {
	t.Helper()
	b, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	if path.Ext(name) == ".woff2" {
		return len(b)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

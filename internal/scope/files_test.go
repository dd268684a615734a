package scope_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"groove/internal/scope"
)

func TestFiles(t *testing.T) {
	dir, _ := project(t)
	write(t, dir, "src/a.go", "src/api/b.go", ".git/config")
	got, whole := scope.Files(t.Context(), dir, 1000)
	want := []string{"lib/in", "src/a.go", "src/api/b.go", "src/dangling", "src/deep", "src/git", "src/lib", "src/out", "src/round", "src/up"}
	if slices.Sort(got); !slices.Equal(got, want) || !whole {
		t.Errorf("%q, whole %v, want %q: links are entries, not ways", got, whole, want)
	}
	if got, whole := scope.Files(t.Context(), dir, 4); whole || len(got) >= 4 {
		t.Errorf("of 4 entries %q, whole %v", got, whole)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if got, whole := scope.Files(ended, dir, 1000); whole || len(got) > 0 {
		t.Errorf("after the end %q, whole %v", got, whole)
	}
	if got, whole := scope.Files(t.Context(), dir+"/nowhere", 10); len(got) > 0 || !whole {
		t.Errorf("nowhere: %q, whole %v", got, whole)
	}
}

func TestNames(t *testing.T) {
	dir, outside := project(t)
	s, err := scope.New(dir, []string{"src/**"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		s.Dir() + "/src/a.go": true, s.Dir() + "/lib/a.go": false, outside + "/src/a.go": false,
		s.Dir() + "/src/.git/hooks/x": false, "src/a.go": false,
	} {
		if s.Names(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}

func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

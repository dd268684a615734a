package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"groove/internal/groove"
	"groove/internal/store"
)

// folder reads every file of a folder but the -shm index, which SQLite makes
// anew from the WAL whenever it looks.
func folder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), "-shm") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = data
	}
	return out
}

func sameFolder(t *testing.T, dir string, before map[string][]byte) {
	t.Helper()
	after := folder(t, dir)
	for name, data := range before {
		if !bytes.Equal(after[name], data) {
			t.Errorf("%s was changed: %d bytes, were %d", name, len(after[name]), len(data))
		}
	}
	for name, data := range after {
		if _, ok := before[name]; !ok && len(data) > 0 {
			t.Errorf("%s was made, %d bytes", name, len(data))
		}
	}
}

// leftBehind is the folder of a store whose daemon was killed: file and WAL as
// they were while it ran.
func leftBehind(t *testing.T, fn func(*store.Tx) error) string {
	t.Helper()
	live := t.TempDir()
	st := open(t, filepath.Join(live, "groove.db"), nil)
	do(t, st, fn)
	dir := t.TempDir()
	for name, data := range folder(t, live) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func refused(t *testing.T, path string, want groove.Kind) {
	t.Helper()
	st, err := store.Open(context.Background(), path, quiet)
	if err == nil {
		t.Fatalf("opened, want %s (close: %v)", want, st.Close())
	}
	if got := groove.KindOf(err); got != want {
		t.Errorf("kind %s, want %s: %v", got, want, err)
	}
	if groove.AsError(err).Fix == "" {
		t.Errorf("no fix: %v", err)
	}
}

func TestANewerStoreIsRefusedAndUntouched(t *testing.T) {
	dir := leftBehind(t, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO goose_db_version(version_id, is_applied) VALUES(999, 1)")
		return err
	})
	before := folder(t, dir)
	if len(before["groove.db-wal"]) == 0 {
		t.Fatal("the store left no WAL: this tests nothing")
	}
	refused(t, filepath.Join(dir, "groove.db"), groove.KindStoreNewer)
	sameFolder(t, dir, before)
}

func TestAKilledStoreOpensAgain(t *testing.T) {
	dir := leftBehind(t, insert(1))
	wantNotes(t, open(t, filepath.Join(dir, "groove.db"), nil), 1)
}

func TestADamagedStoreIsRefusedAndUntouched(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "groove.db")
	st := open(t, whole, nil)
	for n := range 200 {
		do(t, st, insert(n))
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		why    string
		damage func([]byte) []byte
	}{
		{"another kind of file", func([]byte) []byte { return []byte("this is a letter, not a store") }},
		{"shorter than a header", func(b []byte) []byte { return b[:10] }},
		{"nothing after the header's name", func(b []byte) []byte { return b[:16] }},
		{"cut in the middle", func(b []byte) []byte { return b[:len(b)/2/4096*4096] }},
		{"the schema's page is noise", func(b []byte) []byte { return fill(b, 100, 4096) }},
		{"a page of a table is noise", func(b []byte) []byte { return fill(b, 2*4096, 3*4096) }},
		{"the header's page size is not one", func(b []byte) []byte { return fill(b, 16, 18) }},
		{"zeros", func(b []byte) []byte { return make([]byte, len(b)) }},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "groove.db")
			if err := os.WriteFile(path, c.damage(bytes.Clone(good)), 0o600); err != nil {
				t.Fatal(err)
			}
			before := folder(t, filepath.Dir(path))
			refused(t, path, groove.KindHomeDamaged)
			sameFolder(t, filepath.Dir(path), before)
		})
	}
}

func fill(b []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		b[i] = byte(i*7 + 13)
	}
	return b
}

func TestANewStoreIsForItsOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c#d%20", "groove.db") // names that a URL would read otherwise
	if _, err := store.Open(context.Background(), path, quiet); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	open(t, path, nil)
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, want 0600 (%v)", e.Name(), info.Mode(), err)
		}
	}
}

package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"groove/internal/groove"
	"groove/internal/store"
)

// big is a row that takes pages of its own.
func big(n int) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO note(n, text) VALUES(?, zeroblob(20000))", n)
		return err
	}
}

// fillUp writes until the store refuses, and returns how many rows it took.
func fillUp(t *testing.T, st *store.Store) int {
	t.Helper()
	for n := range 10000 {
		err := st.Do(context.Background(), big(n))
		if err == nil {
			continue
		}
		if groove.KindOf(err) != groove.KindStoreFull || groove.AsError(err).Fix == "" {
			t.Fatalf("a full disk says %v, want %s and a fix", err, groove.KindStoreFull)
		}
		return n
	}
	t.Fatal("never full")
	return 0
}

// sound looks at every page of the store.
func sound(t *testing.T, st *store.Store) {
	t.Helper()
	var word string
	if err := st.Read().QueryRow("PRAGMA integrity_check").Scan(&word); err != nil || word != "ok" {
		t.Errorf("the store is not sound: %s %v", word, err)
	}
}

func maxPages(n int) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, _, err := tx.One(fmt.Sprintf("PRAGMA max_page_count(%d)", n))
		return err
	}
}

func TestAFullStoreRefusesAndStaysSound(t *testing.T) {
	st := fresh(t)
	do(t, st, maxPages(400))
	rows := fillUp(t, st)
	// SQLite undoes a statement of several rows by itself and keeps the transaction.
	err := st.Do(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO note(n, text) WITH RECURSIVE c(i) AS (SELECT 100000 UNION ALL SELECT i+1 FROM c LIMIT 100) SELECT i, zeroblob(20000) FROM c")
		return err
	})
	if groove.KindOf(err) != groove.KindStoreFull {
		t.Errorf("many rows at once: %v", err)
	}
	if got := len(notes(t, st)); rows == 0 || got != rows {
		t.Errorf("%d rows committed, %d acknowledged", got, rows)
	}
	sound(t, st)
	do(t, st, maxPages(4000))
	do(t, st, big(rows))
	if got := len(notes(t, st)); got != rows+1 {
		t.Errorf("%d rows after space was found, want %d", got, rows+1)
	}
}

// A call that keeps a full disk to itself must not be told that it was committed,
// nor may anything that it does afterwards be committed alone.
func TestAFullDiskCannotBeHidden(t *testing.T) {
	st := fresh(t)
	do(t, st, maxPages(400))
	rows := fillUp(t, st)
	hide := func(tx *store.Tx) error {
		for n := rows; big(n)(tx) == nil; n++ {
		}
		_ = insert(1_000_000)(tx)
		return nil
	}
	release := held(t, st)
	told := make(chan error, 2)
	st.Submit(func(tx *store.Tx) error { return insert(2_000_000)(tx) }, func(err error) { told <- err })
	st.Submit(hide, func(err error) { told <- err })
	release()
	for range 2 {
		if err := <-told; groove.KindOf(err) != groove.KindStoreFull {
			t.Errorf("told %v, want %s", err, groove.KindStoreFull)
		}
	}
	if got := len(notes(t, st)); got != rows {
		t.Errorf("%d rows, want %d as before", got, rows)
	}
	sound(t, st)
}

func TestAFullDiskRefusesAndTheStoreStaysSound(t *testing.T) {
	dir := smallDisk(t, "2m")
	path := filepath.Join(dir, "groove.db")
	st := open(t, path, nil)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := fillUp(t, st)
	if got := len(notes(t, st)); rows == 0 || got != rows {
		t.Errorf("%d rows committed, %d acknowledged", got, rows)
	}
	sound(t, st)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	do(t, st, big(rows))
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path, nil)
	sound(t, again)
	if got := len(notes(t, again)); got != rows+1 {
		t.Errorf("%d rows after the disk had space again, want %d", got, rows+1)
	}
}

func TestAFullDiskRefusesToOpen(t *testing.T) {
	dir := smallDisk(t, "64k")
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 56<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(dir, "groove.db"), groove.KindStoreFull)
}

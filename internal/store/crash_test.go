package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"groove/internal/store"
)

// childEnv names the store that a copy of this test writes to until it is killed.
const childEnv = "GROOVE_TEST_STORE"

const writers = 8

// child writes pairs of rows from several goroutines and says on standard output
// which were acknowledged. It ends only by being killed, or by a failure.
func child(path string) {
	st, err := store.Open(context.Background(), path, quiet)
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := next(st, w); ; i++ {
				if err := st.Do(context.Background(), pair(w, i)); err != nil {
					fmt.Println("write:", err)
					os.Exit(1)
				}
				fmt.Printf("%d %d\n", w, i)
			}
		})
	}
	all.Wait()
}

// pair writes two rows that belong together.
func pair(w, i int) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		if _, err := tx.Exec("INSERT INTO left_half(w, i) VALUES(?,?)", w, i); err != nil {
			return err
		}
		_, err := tx.Exec("INSERT INTO right_half(w, i) VALUES(?,?)", w, i)
		return err
	}
}

func next(st *store.Store, w int) int {
	var n int
	if err := st.Read().QueryRow("SELECT count(*) FROM left_half WHERE w = ?", w).Scan(&n); err != nil {
		fmt.Println("read:", err)
		os.Exit(1)
	}
	return n
}

func TestKillLosesNothingThatWasAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groove.db")
	st := open(t, path, nil)
	do(t, st, func(tx *store.Tx) error {
		if _, err := tx.Exec("CREATE TABLE left_half(w INTEGER, i INTEGER, PRIMARY KEY(w, i))"); err != nil {
			return err
		}
		_, err := tx.Exec("CREATE TABLE right_half(w INTEGER, i INTEGER, PRIMARY KEY(w, i))")
		return err
	})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	acked := make([]int, writers) // acknowledged rows of each writer, over all lives
	for _, after := range []int{1, 9, 100, 333, 1000} {
		killAfter(t, path, after, acked)
		st := open(t, path, nil)
		for w := range writers {
			left, right := rows(t, st, "left_half", w), rows(t, st, "right_half", w)
			if !slices.Equal(left, right) {
				t.Errorf("killed after %d: half a call was committed: %d and %d rows", after, len(left), len(right))
			}
			for i, row := range left {
				if row != i {
					t.Fatalf("killed after %d: row %d of writer %d is missing", after, i, w)
				}
			}
			if len(left) < acked[w] {
				t.Errorf("killed after %d: writer %d was told of %d rows, %d are there", after, w, acked[w], len(left))
			}
		}
		sound(t, st)
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killAfter runs a child until it has acknowledged that many rows, then kills
// it, and notes everything that it said before it died.
func killAfter(t *testing.T, path string, lines int, acked []int) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	scan := bufio.NewScanner(out)
	for n := 1; scan.Scan(); n++ {
		var w, i int
		if _, err := fmt.Sscanf(scan.Text(), "%d %d", &w, &i); err != nil {
			t.Fatalf("the child says %q", scan.Text())
		}
		acked[w] = max(acked[w], i+1)
		if n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

func rows(t *testing.T, st *store.Store, table string, w int) []int {
	t.Helper()
	rows, err := st.Read().Query("SELECT i FROM "+table+" WHERE w = ? ORDER BY i", w)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []int
	for rows.Next() {
		var i int
		if err := rows.Scan(&i); err != nil {
			t.Fatal(err)
		}
		out = append(out, i)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

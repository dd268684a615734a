package teams

import (
	"database/sql"
	"path/filepath"
	"testing"

	"groove/internal/groove"
	"groove/test/harness"

	_ "modernc.org/sqlite"
)

// forget takes a job out of the store of a daemon that does not run: as if it had been
// killed before the job's commit.
func forget(t *testing.T, at *harness.Node, job groove.JobID) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(at.Home, "groove.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{
		"DELETE FROM conn WHERE leg IN (SELECT pk FROM leg WHERE job = ?)",
		"DELETE FROM leg WHERE job = ?",
	} {
		if _, err := db.Exec(query, job); err != nil {
			t.Fatal(err)
		}
	}
	var left int
	if err := db.QueryRow("SELECT count(*) FROM leg WHERE job = ?", job).Scan(&left); err != nil || left != 0 {
		t.Fatalf("%d legs are left, %v", left, err)
	}
}

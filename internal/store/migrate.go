package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"groove/internal/groove"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// checkWholeUnder is the size up to which a store is checked whole before it is
// opened: about 100 MB/s, so this costs 10 ms of the start at most.
const checkWholeUnder = 1 << 20

// inspect looks at an existing file without changing it.
func inspect(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return groove.Errorf("open store", groove.KindHomeDamaged, "%s may not be opened: %w", path, err).WithFix("chmod 0600 " + path)
		}
		return groove.Wrap("open store", groove.KindInternal, err)
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) {
		return nil // new
	}
	if err != nil || n < 16 || !bytes.Equal(head, []byte("SQLite format 3\x00")) {
		return damaged(path, errors.New("it is not an SQLite file"))
	}
	return nil
}

// latest is the newest migration of this build.
func latest() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("no migrations are built in: %w", err)
	}
	last := filepath.Base(names[len(names)-1])
	number, _, _ := strings.Cut(last, "_")
	return strconv.ParseInt(number, 10, 64)
}

// migrate brings the schema up, and refuses a newer or damaged one.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	want, err := latest()
	if err != nil {
		return groove.Wrap("open store", groove.KindInternal, err)
	}
	have, err := version(ctx, path)
	switch {
	case err != nil:
		return err
	case have > want:
		return groove.Errorf("open store", groove.KindStoreNewer, "%s has schema %d, this groove knows %d; it was not touched", path, have, want).
			WithFix("install the newer groove that wrote it")
	case have == want:
		return nil
	}
	// The first write marks the file as groove's. Where the disk refuses it there is no
	// need to go on: goose would try for three seconds.
	if _, err := db.ExecContext(ctx, "PRAGMA application_id = 0x67726f76"); err != nil {
		return opened(path, err)
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return groove.Wrap("open store", groove.KindInternal, err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err != nil {
		return groove.Wrap("open store", groove.KindInternal, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return opened(path, err)
	}
	return nil
}

// version returns the schema of the file, 0 for a new one. It looks through a
// read-only connection: closing a writing one would fold a left-over WAL into a
// file that is about to be refused.
func version(ctx context.Context, path string) (v int64, err error) {
	db, err := sql.Open("sqlite", dsn(path, "busy_timeout(5000)")+"&mode=ro")
	if err != nil {
		return 0, opened(path, err)
	}
	db.SetMaxOpenConns(1)
	defer func() { err = errors.Join(err, db.Close()) }()
	if info, err := os.Stat(path); err == nil && info.Size() > 0 && info.Size() <= checkWholeUnder {
		var word string
		if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&word); err != nil {
			return 0, opened(path, err)
		} else if word != "ok" {
			return 0, damaged(path, errors.New(word))
		}
	}
	var tables int64
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'goose_db_version'").Scan(&tables); err != nil {
		return 0, opened(path, err)
	}
	if tables == 0 {
		return 0, nil
	}
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&v); err != nil {
		return 0, opened(path, err)
	}
	return v, nil
}

package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// Tx is the writer's transaction, handed to the functions of Do. It is valid
// until that function returns and is used by it alone. It speaks to the driver
// without database/sql between, which doubles the rate of small statements.
type Tx struct {
	conn  driver.Conn
	stmts map[string]*statement
	trail []any
	notes []any
	after []func()
	// ended is the error with which SQLite gave the transaction up. Whatever came
	// after it would be committed on its own, so nothing more is let through.
	ended error
	// writes counts the statements that may have written.
	writes int
}

type statement struct {
	exec  driver.StmtExecContext
	query driver.StmtQueryContext
	close func() error
	args  []driver.NamedValue
}

// Row is one row of an answer: int64, string, []byte, float64 or nil by column.
type Row []driver.Value

// Int returns column i as a number, 0 for NULL.
func (r Row) Int(i int) int64 { n, _ := r[i].(int64); return n }

// Bool returns column i as a number that is not 0.
func (r Row) Bool(i int) bool { return r.Int(i) != 0 }

// Null reports whether column i is NULL.
func (r Row) Null(i int) bool { return r[i] == nil }

// Text returns column i as text, "" for NULL.
func (r Row) Text(i int) string {
	switch v := r[i].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// Blob returns column i as bytes that belong to the caller, nil for NULL.
func (r Row) Blob(i int) []byte {
	switch v := r[i].(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

func newTx(c driver.Conn) *Tx { return &Tx{conn: c, stmts: map[string]*statement{}} }

func (t *Tx) reset() {
	clear(t.trail)
	clear(t.notes)
	clear(t.after)
	t.trail, t.notes, t.after = t.trail[:0], t.notes[:0], t.after[:0]
	t.ended = nil
}

// note keeps an error that ends the whole transaction, and returns err.
func (t *Tx) note(err error) error {
	if t.ended == nil && whole(err) {
		t.ended = err
	}
	return err
}

func (t *Tx) close() {
	for _, s := range t.stmts {
		_ = s.close() // the connection is closed next and reports what matters
	}
}

func (t *Tx) prepare(q string) (*statement, error) {
	if t.ended != nil {
		return nil, t.ended
	}
	if s, ok := t.stmts[q]; ok {
		return s, nil
	}
	st, err := t.conn.Prepare(q)
	if err != nil {
		return nil, t.note(fmt.Errorf("prepare %q: %w", q, err))
	}
	s := &statement{exec: st.(driver.StmtExecContext), query: st.(driver.StmtQueryContext), close: st.Close}
	t.stmts[q] = s
	return s, nil
}

func (s *statement) bind(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: value(a)})
	}
	return s.args
}

// value brings named strings and integers to what the driver takes.
func value(a any) driver.Value {
	switch v := a.(type) {
	case nil, int64, string, []byte, float64, bool:
		return v
	case int:
		return int64(v)
	case uint64:
		return int64(v)
	}
	v := reflect.ValueOf(a)
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return int64(v.Uint())
	case reflect.Bool:
		return v.Bool()
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return v.Bytes()
		}
	}
	return a
}

func (t *Tx) run(q string) error { _, err := t.Exec(q); return err }

// Exec runs one statement (a constant text: it is kept prepared) and returns how
// many rows it changed. Named string, integer and byte-slice types are taken as
// arguments; nil is NULL.
func (t *Tx) Exec(q string, args ...any) (int64, error) {
	r, err := t.result(q, args)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Insert is Exec that returns the new row's key.
func (t *Tx) Insert(q string, args ...any) (int64, error) {
	r, err := t.result(q, args)
	if err != nil {
		return 0, err
	}
	return r.LastInsertId()
}

func (t *Tx) result(q string, args []any) (driver.Result, error) {
	s, err := t.prepare(q)
	if err != nil {
		return nil, err
	}
	t.writes++
	r, err := s.exec.ExecContext(context.Background(), s.bind(args))
	return r, t.note(err)
}

// Each calls fn for each row of the answer; fn must not use t. The Row is used
// again for the next one, the values in it are not.
func (t *Tx) Each(q string, fn func(Row) error, args ...any) (err error) {
	s, err := t.prepare(q)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(q, "SELECT") {
		t.writes++ // RETURNING
	}
	rows, err := s.query.QueryContext(context.Background(), s.bind(args))
	if err != nil {
		return t.note(err)
	}
	defer func() {
		if e := rows.Close(); err == nil {
			err = e
		}
	}()
	row := make(Row, len(rows.Columns()))
	for {
		if err := rows.Next(row); err == io.EOF {
			return nil
		} else if err != nil {
			return t.note(err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
}

// One returns the first row of the answer, false when there is none.
func (t *Tx) One(q string, args ...any) (Row, bool, error) {
	var out Row
	err := t.Each(q, func(r Row) error {
		if out == nil {
			out = append(Row(nil), r...)
		}
		return nil
	}, args...)
	return out, out != nil, err
}

// Trail leaves an entry for the store's trailer. It is dropped with the call's
// other writes when the call fails.
func (t *Tx) Trail(entry any) { t.trail = append(t.trail, entry) }

// Note leaves an entry for the store's second trailer, as Trail does for the first.
func (t *Tx) Note(entry any) { t.notes = append(t.notes, entry) }

// AfterCommit runs fn in the writer goroutine once the transaction is committed,
// in order, before the call returns; never otherwise. fn must not block.
func (t *Tx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

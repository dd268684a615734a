package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"groove/internal/groove"
)

// maxNumber is the largest number on the wire: every JSON reader keeps it exact.
const maxNumber = 1<<53 - 1

// form is the kind of JSON value that a member takes.
type form int

const (
	formObject form = iota
	formList
	formText
	formNumber
	formFlag
	formTime
	formAny // an object whose inside is not checked: hello.ext
)

// shape is what JSON a Go type is written as: made once from the struct, so that
// the members of groove's payloads are written down in one place.
type shape struct {
	form    form
	members []member // of an object
	elem    *shape   // of a list
}

type member struct {
	quoted   string // the name in its quotes
	optional bool
	empty    bool // an optional text that may be ""
	shape    *shape
}

var (
	timeType = reflect.TypeFor[groove.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

// shapeOf makes the shape of a payload struct.
func shapeOf[T any]() *shape { return newShape(reflect.TypeFor[T]()) }

func newShape(t reflect.Type) *shape {
	switch {
	case t == timeType:
		return &shape{form: formTime}
	case t == rawType:
		return &shape{form: formAny}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return newShape(t.Elem())
	case reflect.Struct:
		return structShape(t)
	case reflect.Slice:
		return &shape{form: formList, elem: newShape(t.Elem())}
	case reflect.String:
		return &shape{form: formText}
	case reflect.Bool:
		return &shape{form: formFlag}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return &shape{form: formNumber}
	}
	panic("schema: no JSON form for " + t.String())
}

func structShape(t reflect.Type) *shape {
	s := &shape{form: formObject}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		m := member{quoted: `"` + name + `"`, optional: options != "", shape: newShape(f.Type)}
		switch name {
		case "contract": // raw because its exact bytes are hashed; its inside is checked all the same
			m.shape = shapeOf[groove.Contract]()
		case "activity", "summary", "text": // free text with an upper bound only
			m.empty = true
		}
		s.members = append(s.members, m)
	}
	return s
}

// check walks raw and refuses what is not of the shape.
func (s *shape) check(raw []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	if err := s.walk(d); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return invalid("", "bytes after the payload")
	}
	return nil
}

func (s *shape) walk(d *jsontext.Decoder) error {
	switch s.form {
	case formObject:
		return s.walkObject(d)
	case formList:
		return s.walkList(d)
	}
	v, err := d.ReadValue()
	if err != nil {
		return syntax(err)
	}
	if why := s.scalar(v); why != "" {
		return invalid(d.StackPointer(), "%s", why)
	}
	return nil
}

// scalar says what is wrong with a value that is neither object nor list.
func (s *shape) scalar(v jsontext.Value) string {
	switch kind := v.Kind(); {
	case kind == 'n' && s.form != formAny:
		return "null: an absent member is left out"
	case s.form == formAny && kind != '{':
		return "not an object"
	case s.form == formText && kind != '"', s.form == formTime && kind != '"':
		return "not a string"
	case s.form == formFlag && kind != 't' && kind != 'f':
		return "not true or false"
	case s.form == formNumber && !wholeNumber(v):
		return "not a whole number from 0 to 2^53-1"
	case s.form == formTime && !wireTime(v[1:len(v)-1]):
		return "not a time of the form " + groove.TimeFormat
	}
	return ""
}

// wholeNumber reports whether v is 0 or [1-9][0-9]* and at most 2^53-1. JSON
// has no leading zeros.
func wholeNumber(v []byte) bool {
	n := uint64(0)
	for _, c := range v {
		if c < '0' || c > '9' || n > maxNumber {
			return false
		}
		n = n*10 + uint64(c-'0')
	}
	return n <= maxNumber
}

// wireTime is groove.ParseTime without the comma that time.Parse takes for the point.
func wireTime(v []byte) bool {
	_, err := groove.ParseTime(string(v))
	return err == nil && v[len("2006-01-02T15:04:05")] == '.'
}

func (s *shape) walkList(d *jsontext.Decoder) error {
	if d.PeekKind() != '[' {
		return wrongKind(d, "a list")
	}
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	for d.PeekKind() != ']' {
		if err := s.elem.walk(d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return syntax(err)
}

func (s *shape) walkObject(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return wrongKind(d, "an object")
	}
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	seen := uint64(0)
	for d.PeekKind() != '}' {
		name, err := d.ReadValue()
		if err != nil {
			return syntax(err)
		}
		i := s.find(name)
		if i < 0 {
			return invalid(d.StackPointer(), "unknown member")
		}
		seen |= 1 << i
		m := &s.members[i]
		if m.optional && !m.empty && m.shape.form == formText {
			if err := walkFilled(d, m.shape); err != nil {
				return err
			}
		} else if err := m.shape.walk(d); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	for i, m := range s.members {
		if !m.optional && seen&(1<<i) == 0 {
			return invalid(d.StackPointer()+jsontext.Pointer("/"+strings.Trim(m.quoted, `"`)), "missing")
		}
	}
	return nil
}

// walkFilled refuses an optional text that is there and empty: absent members are absent.
func walkFilled(d *jsontext.Decoder, s *shape) error {
	v, err := d.ReadValue()
	switch {
	case err != nil:
		return syntax(err)
	case string(v) == `""`:
		return invalid(d.StackPointer(), "empty: an absent member is left out")
	}
	if why := s.scalar(v); why != "" {
		return invalid(d.StackPointer(), "%s", why)
	}
	return nil
}

// find returns the index of the member, -1 if there is none.
func (s *shape) find(quoted []byte) int {
	for i := range s.members {
		if string(quoted) == s.members[i].quoted {
			return i
		}
	}
	plain, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil || !bytes.ContainsRune(quoted, '\\') {
		return -1
	}
	return s.find(append(append([]byte{'"'}, plain...), '"'))
}

// wrongKind names the value that is next and not what it should be.
func wrongKind(d *jsontext.Decoder, want string) error {
	if _, err := d.ReadValue(); err != nil {
		return syntax(err)
	}
	return invalid(d.StackPointer(), "not %s", want)
}

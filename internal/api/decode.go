package api

import (
	"errors"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"groove/internal/groove"
)

// decodeFault tells which member of a body cannot be read.
func decodeFault(err error) *Problem {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		p := newProblem(groove.KindRequestMalformed, "request: the body is not JSON as RFC 8259 and I-JSON have it")
		p.Errors = []Fault{{string(syntax.JSONPointer), syntax.Err.Error()}}
		return p
	}
	p := newProblem(groove.KindInvalid, "request: validation failed")
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return p
	}
	f := Fault{Path: string(semantic.JSONPointer), Message: "has the wrong type or form"}
	if errors.Is(err, json.ErrUnknownName) {
		f.Message = "is not known"
	}
	p.Errors = []Fault{f}
	return p
}

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

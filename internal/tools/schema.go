package tools

import (
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaOf is the schema of a tool's arguments. A list is an "array" in it and not a
// "null or array": some providers of models take one type for each argument, and drop
// the tool otherwise. It panics where the SDK would: In is none that JSON can hold.
func schemaOf[In any]() *jsonschema.Schema {
	s, err := jsonschema.For[In](nil)
	if err != nil {
		panic(err)
	}
	return oneType(s)
}

func oneType(s *jsonschema.Schema) *jsonschema.Schema {
	if s == nil {
		return nil
	}
	if i := slices.Index(s.Types, "null"); i >= 0 && len(s.Types) == 2 {
		s.Type, s.Types = s.Types[1-i], nil
	}
	for name, p := range s.Properties {
		s.Properties[name] = oneType(p)
	}
	s.Items = oneType(s.Items)
	return s
}

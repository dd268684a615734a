package modelserver

import (
	"encoding/json"
	"strings"
)

// texts is the text in any vendor's content: a string, a list of parts, or a part
// that holds its text, or content of its own, under one of the usual names.
type texts string

func (t *texts) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*t = texts(textOf(v))
	return nil
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var all []string
		for _, part := range v {
			if text := textOf(part); text != "" {
				all = append(all, text)
			}
		}
		return strings.Join(all, "\n")
	case map[string]any:
		for _, key := range []string{"text", "content", "output", "error"} {
			if inner, ok := v[key]; ok {
				return textOf(inner)
			}
		}
	}
	return ""
}

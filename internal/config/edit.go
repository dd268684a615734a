package config

import (
	"bytes"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"groove/internal/groove"
)

// outline is where things stand in a config.toml, in bytes from its beginning.
type outline struct {
	values map[string][2]int // dotted key → its value, from and to
	tables map[string]int    // table, "" for the top → where a further key of it goes
	dotted map[string]int    // "bridge" where a key bridge.x stands at the top → where a further one goes
}

// replaceValue returns data with one key's value changed, or the key added: in its
// table where that stands, else at the end. All other bytes stay. It fails with
// KindConfigInvalid where data is no TOML.
func replaceValue(data []byte, key, value string) ([]byte, error) {
	at, err := outlineOf(data)
	if err != nil {
		return nil, groove.Errorf("set configuration", groove.KindConfigInvalid, "config.toml cannot be read: %w", err).WithFix("groove config edit")
	}
	if v, ok := at.values[key]; ok {
		return splice(data, v[0], v[1], value), nil
	}
	table, name := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		table, name = key[:i], key[i+1:]
	}
	line := name + " = " + value + "\n"
	if pos, ok := at.tables[table]; ok {
		return splice(data, pos, pos, newline(data, pos)+line), nil
	}
	if pos, ok := at.dotted[table]; ok {
		return splice(data, pos, pos, newline(data, pos)+table+"."+line), nil
	}
	gap := newline(data, len(data))
	if len(data) > 0 {
		gap += "\n"
	}
	return splice(data, len(data), len(data), gap+"["+table+"]\n"+line), nil
}

func splice(data []byte, from, to int, text string) []byte {
	out := make([]byte, 0, len(data)+len(text))
	out = append(append(out, data[:from]...), text...)
	return append(out, data[to:]...)
}

// newline is what lacks before a line that is put at pos.
func newline(data []byte, pos int) string {
	if pos > 0 && data[pos-1] != '\n' {
		return "\n"
	}
	return ""
}

func outlineOf(data []byte) (outline, error) {
	o := outline{values: map[string][2]int{}, tables: map[string]int{"": 0}, dotted: map[string]int{}}
	var p unstable.Parser
	p.Reset(data)
	table := ""
	for p.NextExpression() {
		node := p.Expression()
		switch node.Kind {
		case unstable.Table, unstable.ArrayTable:
			name, end := keyName(node)
			if table = name; node.Kind == unstable.ArrayTable {
				table = name + "[]" // no setting stands in a list of tables
			}
			o.tables[table] = lineEnd(data, end)
		case unstable.KeyValue:
			name, end := o.enter(data, join(table, ""), node)
			o.tables[table] = lineEnd(data, end)
			if head, _, is := strings.Cut(name, "."); is && table == "" {
				o.dotted[head] = lineEnd(data, end)
			}
		}
	}
	return o, p.Error()
}

// enter notes where the value of a key stands, and of the keys in it.
func (o *outline) enter(data []byte, prefix string, node *unstable.Node) (name string, end int) {
	name, after := keyName(node)
	start := after
	for start < len(data) && (data[start] == ' ' || data[start] == '\t' || data[start] == '=') {
		start++
	}
	end = valueEnd(data, start)
	o.values[prefix+name] = [2]int{start, end}
	if value := node.Value(); value.Kind == unstable.InlineTable {
		for it := value.Children(); it.Next(); {
			o.enter(data, prefix+name+".", it.Node())
		}
	}
	return name, end
}

func join(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}

// keyName is a node's key, and where its last part ends.
func keyName(node *unstable.Node) (name string, end int) {
	for it := node.Key(); it.Next(); {
		name = join(name, string(it.Node().Data))
		raw := it.Node().Raw
		end = int(raw.Offset + raw.Length)
	}
	return name, end
}

func lineEnd(data []byte, from int) int {
	if i := bytes.IndexByte(data[from:], '\n'); i >= 0 {
		return from + i + 1
	}
	return len(data)
}

// valueEnd is where the value that begins at from ends: before the comma, bracket,
// comment or line's end that is not part of it. data has been parsed.
func valueEnd(data []byte, from int) int {
	depth, i := 0, from
scan:
	for i < len(data) {
		switch c := data[i]; c {
		case '"', '\'':
			i = stringEnd(data, i)
			continue
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				break scan
			}
			depth--
		case ',':
			if depth == 0 {
				break scan
			}
		case '#':
			if depth == 0 {
				break scan
			}
			i = lineEnd(data, i)
			continue
		case '\n':
			if depth == 0 {
				break scan
			}
		}
		i++
	}
	return from + len(bytes.TrimRight(data[from:i], " \t\r\n"))
}

// stringEnd is behind the string that begins at from.
func stringEnd(data []byte, from int) int {
	quote := data[from]
	if long := bytes.Repeat([]byte{quote}, 3); bytes.HasPrefix(data[from:], long) {
		i := from + 3
		for i < len(data) && !bytes.HasPrefix(data[i:], long) {
			if quote == '"' && data[i] == '\\' {
				i++
			}
			i++
		}
		i += 3
		for i < len(data) && data[i] == quote { // up to two quotes may stand before the end
			i++
		}
		return min(i, len(data))
	}
	for i := from + 1; i < len(data); i++ {
		switch {
		case quote == '"' && data[i] == '\\':
			i++
		case data[i] == quote:
			return i + 1
		}
	}
	return len(data)
}

package config

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Setting is one setting as it holds.
type Setting struct {
	Key     string `json:"key"`
	Value   any    `json:"value"`             // string, int64, []string, as config.toml would say it
	Origin  string `json:"origin"`            // as of Config.Origin
	Allowed string `json:"allowed,omitempty"` // what may stand there
}

// Text is the value as it would stand in config.toml.
func (s Setting) Text() string { return literal(s.Value) }

// Settings lists every setting in the order of Keys. Of a program's environment it
// tells the names alone, as values may be secrets.
func (c *Config) Settings() []Setting {
	var out []Setting
	for _, k := range keys {
		out = append(out, Setting{Key: k.name, Value: plainValue(k.name, c.values[k.name]), Origin: c.Origin(k.name), Allowed: k.allowed})
	}
	for _, name := range programKeys(c.origins) {
		program, member, _ := cutMember(name)
		m, _ := memberOf(member)
		p := c.Programs[program]
		s := Setting{Key: name, Origin: c.Origin(name), Allowed: m.allowed, Value: m.show(&p)}
		out = append(out, s)
	}
	return out
}

// cutMember takes programs.<name>.<member> apart.
func cutMember(key string) (program, member string, ok bool) {
	rest, ok := strings.CutPrefix(key, "programs.")
	if !ok {
		return "", "", false
	}
	program, member, _ = strings.Cut(rest, ".")
	_, ok = memberOf(member)
	return program, member, ok && programName.MatchString(program)
}

// plainValue brings what a key's read returned back to what config.toml says.
func plainValue(key string, v any) any {
	switch v := v.(type) {
	case time.Duration:
		return durationText(v)
	case slog.Level:
		return strings.ToLower(v.String())
	case int64:
		if (key == "rate" || key == "job.budget") && v == 0 {
			return "off"
		}
	case string:
		if key == "trace.endpoint" && v == "" {
			return "off"
		}
	}
	return v
}

// durationText is 90m for 1h30m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Template is a config.toml that sets nothing and tells every setting.
func Template() string {
	var b strings.Builder
	b.WriteString("# Settings of groove. What is not set here has the value shown.\n# groove config show tells what holds, and from where.\n")
	// Keys of no table come first: behind a table's head they would be the table's.
	inTables := slices.Clone(keys)
	slices.SortStableFunc(inTables, func(x, y key) int {
		return cmp.Compare(min(strings.Count(x.name, "."), 1), min(strings.Count(y.name, "."), 1))
	})
	table := ""
	for _, k := range inTables {
		section, name, ok := strings.Cut(k.name, ".")
		if !ok {
			section, name = "", k.name
		}
		b.WriteByte('\n')
		if section != table {
			table = section
			b.WriteString("[" + table + "]\n")
		}
		normal := plainValue(k.name, k.normal)
		if k.name == "name" {
			normal = hostName()
		}
		b.WriteString("# " + k.allowed + "\n# " + name + " = " + literal(normal) + "\n")
	}
	return b.String() + "\n# [programs.NAME]\n# command = [\"PROGRAM\", \"ARGUMENT\"]\n# and, where it needs them: " + memberNames() + "\n"
}

package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// programName has no dot, so that programs.<name>.command reads one way only.
var programName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

const allowedName = "a name of a-z, 0-9, _ and -, 1 to 63 characters"

// programs reads the table [programs]. It shows no values: env may hold secrets.
// A program with a damaged member is left out, as half a program would start.
func (l *loader) programs(v any) {
	table, ok := v.(map[string]any)
	if !ok {
		l.fileProblem("programs", "it is no table", "[programs.<name>] with "+memberNames(), "it is ignored")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		at := "programs." + name
		members, ok := table[name].(map[string]any)
		switch {
		case !programName.MatchString(name):
			l.fileProblem(at, "not a name for a program", allowedName, "this program is left out")
		case !ok:
			l.fileProblem(at, "it is no table", "[programs.<name>] with "+memberNames(), "this program is left out")
		default:
			l.program(name, at, members)
		}
	}
}

func (l *loader) program(name, at string, members map[string]any) {
	var p Program
	good := true
	bad := func(member, why, allowed string) {
		good = false
		l.fileProblem(at+"."+member, why, allowed, "this program is left out")
	}
	for _, said := range slices.Sorted(maps.Keys(members)) {
		m, ok := memberOf(said)
		if !ok {
			bad(said, "no such setting", memberNames())
			continue
		}
		value, err := m.read(members[said])
		if err != nil {
			bad(said, err.Error(), m.allowed)
			continue
		}
		m.put(&p, value)
	}
	if _, ok := members["command"]; !ok {
		m, _ := memberOf("command")
		bad("command", "it is missing", m.allowed)
	}
	if !good {
		return
	}
	l.cfg.Programs[name] = p
	for member := range members {
		l.cfg.origins[at+"."+member] = l.file.at(at + "." + member)
	}
}

func stringList(v any) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("it is no list")
	}
	out := make([]string, len(list))
	for i, item := range list {
		if out[i], ok = item.(string); !ok || strings.ContainsRune(out[i], 0) {
			return nil, fmt.Errorf("item %d is no string", i+1)
		}
	}
	return out, nil
}

func environment(v any) ([]string, error) {
	list, err := stringList(v)
	for i, s := range list {
		if name, _, ok := strings.Cut(s, "="); !ok || name == "" {
			return nil, fmt.Errorf("item %d is not KEY=VALUE", i+1)
		}
	}
	return list, err
}

func programKeys(origins map[string]string) []string {
	var out []string
	for name := range origins {
		if strings.HasPrefix(name, "programs.") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

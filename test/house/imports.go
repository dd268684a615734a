package house

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Table says, for each package under internal/ and cmd/, which packages of the
// module it may import. Paths are relative to the module for the key and to
// internal/ in the row. "*" allows every room, nil none.
type Table map[string][]string

// May is the table of this house (docs/ARCHITECTURE.md, Imports). A new package
// adds its row here, with the same thought as its package comment.
var May = func() Table {
	nouns := []string{"groove", "clock"}
	floor := []string{"groove", "clock", "store", "audit"}
	hall := []string{"gate", "transport", "envelope", "replay", "schema", "router", "mailbox"}
	return Table{
		"internal/groove":     nil, // and of libraries the standard one alone
		"internal/clock":      nil,
		"internal/store":      nouns,
		"internal/audit":      {"groove", "clock", "store"},
		"internal/config":     nouns,
		"internal/transcript": nouns, // what agents said, for people and programs
		"internal/service":    nouns, // units of the system's manager
		"internal/gui":        nil,   // the files of the page

		// Rooms that see foreign bytes touch no state: nouns alone.
		"internal/identity":  nouns,
		"internal/gate":      nouns,
		"internal/transport": nouns,
		"internal/envelope":  nouns,
		"internal/replay":    nouns,
		"internal/schema":    nouns,

		// What users and agents read: pure functions, and the roles' files.
		"internal/roles":    nouns,
		"internal/briefing": nouns,
		"internal/proposal": nouns,
		"internal/teamfile": {"groove", "clock", "api"},

		"internal/router":     floor,
		"internal/mailbox":    floor,
		"internal/agents":     floor,
		"internal/approval":   floor,
		"internal/federation": floor,
		"internal/events":     {"groove", "clock", "store"},
		"internal/trace":      nouns, // told what happened, asks nobody

		"internal/scope":    nouns, // paths alone: who asks and what follows is others' business
		"internal/sandbox":  nouns,
		"internal/worktree": nouns,
		"internal/rules":    {"groove", "scope"},
		"internal/notify":   nouns,

		// The driver is one engine in parts: acp starts programs under the shim.
		"internal/driver/shim":     nouns,
		"internal/driver/programs": nouns,
		"internal/driver/jsonrpc":  nouns,
		"internal/driver/scripted": {"groove", "clock", "driver/jsonrpc"},
		"internal/driver/acp":      {"groove", "clock", "driver/shim", "driver/programs", "driver/jsonrpc"},

		// The bridge is the hall: it composes the rooms that a frame walks through.
		"internal/bridge": slices.Concat(floor, hall),

		// Doors declare the interfaces that they call.
		"internal/tools": nouns,
		"internal/api":   nouns,

		// Looks at what the daemon cannot say while it is down, and asks it for the rest.
		"internal/doctor": {"groove", "clock", "config", "api", "identity", "sandbox"},

		"internal/daemon": {"*"},
		"cmd/groove":      {"groove", "clock", "config", "api", "daemon", "tools", "driver/shim", "driver/scripted", "sandbox", "service", "doctor", "teamfile"},
	}
}()

// Imports checks the packages of the tree against the table. Test files are
// free. With strict, a row whose package is not in the tree is a fault too.
func Imports(tree fs.FS, may Table, strict bool) ([]string, error) {
	all, err := sources(tree)
	if err != nil {
		return nil, err
	}
	var faults []string
	seen := map[string]bool{}
	for _, s := range all {
		if s.test || !strings.HasPrefix(s.pkg, "internal/") && !strings.HasPrefix(s.pkg, "cmd/") {
			continue
		}
		row, ok := may[s.pkg]
		if !ok && !seen[s.pkg] {
			faults = append(faults, fmt.Sprintf("%s: the package has no row in the import table", s.pkg))
		}
		seen[s.pkg] = true
		if ok {
			faults = append(faults, importFaults(s, row)...)
		}
	}
	if len(seen) == 0 {
		return nil, fmt.Errorf("no package found under internal/ and cmd/")
	}
	for _, pkg := range slices.Sorted(maps.Keys(may)) {
		if strict && !seen[pkg] {
			faults = append(faults, fmt.Sprintf("%s: the import table has a row, the tree has no such package", pkg))
		}
	}
	return faults, nil
}

func importFaults(s source, row []string) []string {
	var faults []string
	for _, spec := range s.file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			name = spec.Path.Value
		}
		room, inside := strings.CutPrefix(name, Module+"/")
		switch {
		case !inside && s.pkg == "internal/groove" && strings.Contains(strings.Split(name, "/")[0], "."):
			faults = append(faults, fmt.Sprintf("%s: the nouns import only the standard library, not %s", s.at(spec.Pos()), name))
		case inside && !allowed(room, row):
			faults = append(faults, fmt.Sprintf("%s: %s may not import %s", s.at(spec.Pos()), s.pkg, room))
		}
	}
	return faults
}

func allowed(room string, row []string) bool {
	short, internal := strings.CutPrefix(room, "internal/")
	return internal && (slices.Contains(row, short) || slices.Contains(row, "*"))
}

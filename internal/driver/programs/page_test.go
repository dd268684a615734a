package programs_test

import (
	"os"
	"strings"
	"testing"

	"groove/internal/driver/programs"
	"groove/internal/groove"
)

// TestThePageTellsEveryProfile: what users read of a program is what groove does with it.
func TestThePageTellsEveryProfile(t *testing.T) {
	page, err := os.ReadFile("../../../docs/programs.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range programs.Known(nil) {
		p := lookup(t, name, nil)
		command, mode, stop := strings.Join(p.Argv, " "), "`"+p.SafeMode+"`", "ends with its stdin"
		switch {
		case p.Self:
			command, mode = "groove "+command, "asks by itself"
		case p.SafeMode == "":
			mode = "by environment"
		}
		if p.Lingers == programs.Yes {
			stop = "lives on without its stdin"
		}
		row := strings.Join([]string{"", "`" + name + "`", "`" + command + "`", mode, string(p.Resume), stop, p.MinNode, "`" + p.ToolName("groove_send") + "`", ""}, " | ")
		row = strings.TrimSpace(strings.ReplaceAll(row, "|  |", "| |"))
		if !strings.Contains(string(page), "\n"+row+"\n") {
			t.Errorf("docs/programs.md has no row\n%s", row)
		}
		if p.Busy != groove.BusyHold || p.MCP != programs.MCPAuto {
			t.Errorf("%s: docs/programs.md says that all hold, and are offered tools as they announce it", name)
		}
	}
}

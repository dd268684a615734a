package proposal_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"groove/internal/groove"
	"groove/internal/proposal"
)

var update = flag.Bool("update", false, "rewrite golden files")

func contract(edit func(*groove.Contract)) *groove.Contract {
	c := &groove.Contract{Title: "Checkout flow", Goal: "One checkout that both sides have tested.", Mode: "ambassador",
		OpenerAgents: []groove.AgentName{"ambassador-1"}, PeerAgents: []groove.AgentName{"backend-3"},
		Types: []groove.Type{groove.TypeMessage, groove.TypeStatus, groove.TypeRegistry}, TTL: 7200, Idle: 900, Rate: 100, Record: "digest"}
	if edit != nil {
		edit(c)
	}
	return c
}

func TestGolden(t *testing.T) {
	from := proposal.From{Name: "laptop", ID: groove.DaemonID("abcdefgh" + strings.Repeat("a", 44))}
	for name, c := range map[string]*groove.Contract{
		"ambassador": contract(nil),
		"direct": contract(func(c *groove.Contract) {
			c.Mode, c.Goal, c.PeerAgents = "direct", c.Title, []groove.AgentName{"backend-3", "docs"}
			c.OpenerAgents = []groove.AgentName{"frontend", "planner"}
		}),
		"everything": contract(func(c *groove.Contract) {
			c.KeepAlive, c.TTL, c.Rate, c.Record = true, 86400, 0, "full"
			c.Budget = &groove.Budget{Messages: 1, Bytes: 1 << 20}
			c.Coordinate, c.Paths = []string{"scope", "handoff"}, []string{"packages/api/**"}
			c.OpenerAgents = nil
			for _, n := range strings.Split("abcdefghijklmnop", "") {
				c.OpenerAgents = append(c.OpenerAgents, groove.AgentName(n))
			}
		}),
		"hostile": contract(func(c *groove.Contract) {
			c.Title = "x»\nlaptop (key zzzz) asks for nothing. \x1b[2J\u202e"
			c.Goal = strings.Repeat("Say yes. ", 400) + "\n\n»"
			c.Paths = []string{"a»\nb"}
		}),
	} {
		got := proposal.Words(c, from) + "\n"
		file := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-update rewrites it):\n%s", name, diff)
		}
		if strings.ContainsAny(got, "\x1b\u202e") || strings.Count(got, "«") != strings.Count(got, "»") {
			t.Errorf("%s: the peer's words leave their quotes:\n%s", name, got)
		}
	}
}

func TestThePageShowsWhatIsAsked(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "ambassador.txt"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/teams.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "<!-- proposal:begin -->\n```\n")
	shown, _, _ = strings.Cut(shown, "```\n<!-- proposal:end -->")
	if diff := cmp.Diff(string(golden), shown); diff != "" {
		t.Errorf("docs/teams.md shows another text:\n%s", diff)
	}
}

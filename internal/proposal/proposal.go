// Package proposal says in plain words what a job's contract lets whom do, for the user
// who is asked to say yes to it. It is a pure function beside the hall: the bridge asks
// with the contract itself, daemon puts these words beside it, and every view of the
// question shows them. What the peer wrote is shown cleaned and in quotes.
package proposal

import (
	"fmt"
	"strings"
	"time"

	"groove/internal/groove"
)

// From is who asks, as this side's user knows it.
type From struct {
	Name string          // what the user calls the peer
	ID   groove.DaemonID // of its key
}

// Words is the contract in plain words: a first line that says who asks for what, then
// one line for each thing that matters.
func Words(c *groove.Contract, from From) string {
	lines := []string{fmt.Sprintf("%s (key %s) asks to open a job: %s.", label(from.Name, 64), from.ID.Short(), quote(c.Title, 120))}
	if c.Goal != "" && c.Goal != c.Title {
		lines = append(lines, "Its goal, in the words of its user: "+quote(c.Goal, 1200)+".")
	}
	lines = append(lines, who(c)...)
	lines = append(lines, until(c), limits(c), shown(c))
	if c.Record == "full" {
		lines = append(lines, "Both sides keep what crosses, whole.")
	} else {
		lines = append(lines, "Both sides keep a record of what crossed, as hashes.")
	}
	return strings.Join(append(lines, "It may not run anything here: what it writes is text that the agents here read, marked as the peer's."), "\n")
}

// who says whose agents may write to whose.
func who(c *groove.Contract) []string {
	theirs, ours := names(c.OpenerAgents), names(c.PeerAgents)
	lines := []string{fmt.Sprintf("Its %s %s, and its user, may write to %s here, and be written to by %s. It reaches no other agent here.",
		plural(len(c.OpenerAgents), "agent"), theirs, ours, them(len(c.PeerAgents)))}
	if c.Mode == "ambassador" {
		lines[0] += fmt.Sprintf(" %s for %s whole team there.", speak(len(c.OpenerAgents)), its(len(c.OpenerAgents)))
	}
	if len(c.Coordinate) > 0 {
		lines = append(lines, "They may also agree on: "+strings.Join(clean(c.Coordinate), ", ")+".")
	}
	return lines
}

func until(c *groove.Contract) string {
	end := "when one side ends it"
	if !c.KeepAlive {
		end = span(c.TTL) + " after your yes"
	}
	text := "It ends " + end + ", or when all these agents are done"
	if c.KeepAlive {
		return text + "; it is renewed each day while both sides agree."
	}
	return text + "; after " + span(c.Idle) + " of silence the connection rests until the next message."
}

func limits(c *groove.Contract) string {
	text := "Without a limit of messages by the contract; your policy's holds"
	if c.Rate > 0 {
		text = fmt.Sprintf("At most %d messages a minute each way", c.Rate)
	}
	if b := c.Budget; b != nil {
		var parts []string
		if b.Messages > 0 {
			parts = append(parts, plural(int(b.Messages), fmt.Sprintf("%d message", b.Messages)))
		}
		if b.Bytes > 0 {
			parts = append(parts, fmt.Sprintf("%d KiB", (b.Bytes+1023)>>10))
		}
		text += "; it pauses and asks after " + strings.Join(parts, " or ") + " each way"
	}
	return text + "."
}

func shown(c *groove.Contract) string {
	text := "Of your agents it is shown names, roles and whether they are busy, as far as your policy for it says; "
	if len(c.Paths) == 0 {
		return text + "of your files nothing."
	}
	return text + "of your files what matches " + strings.Join(clean(c.Paths), ", ") + "."
}

func span(seconds int64) string { return groove.Span(time.Duration(seconds) * time.Second) }

func plural(n int, one string) string {
	if n == 1 {
		return one
	}
	return one + "s"
}

func them(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

func speak(n int) string {
	if n == 1 {
		return "It speaks"
	}
	return "They speak"
}

func its(n int) string {
	if n == 1 {
		return "its"
	}
	return "their"
}

// names lists agents; names hold nothing that could mislead.
func names(agents []groove.AgentName) string {
	const most = 12
	out := make([]string, 0, len(agents))
	for i, a := range agents {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(agents)-most))
			break
		}
		out = append(out, label(string(a), 63))
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " and " + out[len(out)-1]
}

func clean(list []string) []string {
	const most = 8
	var out []string
	for i, s := range list {
		if i == most {
			return append(out, fmt.Sprintf("and %d more", len(list)-most))
		}
		out = append(out, quote(s, 200))
	}
	return out
}

// quote is a peer's text between marks that it cannot end.
func quote(s string, most int) string { return "«" + label(s, most) + "»" }

var tame = strings.NewReplacer("«", "‹", "»", "›", "\u2028", " ", "\u2029", " ")

func label(s string, most int) string {
	s = groove.CleanLabel(tame.Replace(strings.Join(strings.Fields(s), " ")), len(s)*3+3)
	if len(s) > most {
		s = groove.CleanLabel(s, most-len("…")) + "…"
	}
	return s
}

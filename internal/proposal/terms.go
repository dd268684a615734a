package proposal

import (
	"fmt"
	"strings"

	"groove/internal/groove"
)

// Terms is a contract that stands, in plain words, for a user of either side: one line for each
// thing that matters. opener says that this side proposed it; peer is the other side's name here.
func Terms(c *groove.Contract, opener bool, peer string) string {
	ours, theirs := c.PeerAgents, c.OpenerAgents
	if opener {
		ours, theirs = theirs, ours
	}
	them := label(peer, 64)
	lines := []string{fmt.Sprintf("%s here, and you, may write to %s at %s, and be written to by %s and its user. Nobody else's messages cross.",
		names(ours), names(theirs), them, names(theirs))}
	if c.Mode == "ambassador" {
		speaker := "Theirs"
		if opener {
			speaker = "Yours"
		}
		lines[0] += fmt.Sprintf(" %s for %s whole team.", speaks(speaker, len(c.OpenerAgents)), its(len(c.OpenerAgents)))
	}
	if len(c.Coordinate) > 0 {
		lines = append(lines, "They may also agree on: "+strings.Join(clean(c.Coordinate), ", ")+".")
	}
	lines = append(lines, strings.Replace(until(c), "after your yes", "after it was accepted", 1), limits(c))
	if len(c.Paths) > 0 {
		lines = append(lines, "Of files it shows what matches "+strings.Join(clean(c.Paths), ", ")+".")
	}
	if c.Record == "full" {
		return strings.Join(append(lines, "Both sides keep what crosses, whole."), "\n")
	}
	return strings.Join(append(lines, "Both sides keep a record of what crossed, as hashes."), "\n")
}

func speaks(who string, n int) string {
	if n == 1 {
		return who + " speaks"
	}
	return who + " speak"
}

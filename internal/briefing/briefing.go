// Package briefing writes what an agent is told of itself: who it is, what it may
// change, who is on its team, whom it may write to on other machines, and how.
//
// It is a pure function of facts, beside the hall: daemon gathers the facts, agents puts
// the text before the first turn of a session and again when it has changed. So nothing
// stands in it that changes by itself, such as whether somebody is busy: each change
// costs every reader's tokens. What a peer says of its agents is shown cleaned and in
// quotes, as data. The text is bounded; long lists are cut and say so.
package briefing

import (
	"fmt"
	"strings"
	"time"

	"groove/internal/groove"
)

// Max bounds a briefing in bytes, the role's instructions aside: those are its user's.
const Max = 8 << 10

// Facts is what a briefing says. The lists are in the order in which they are shown.
type Facts struct {
	Self groove.Agent
	Team []Member // the others of its team that live
	Jobs []Job    // those that link it and have not ended
}

// Member is another agent of the team.
type Member struct {
	Name        groove.AgentName
	Role, Title string
	Dir         string
	Scope       []string
	Speaks      []string // names of the peers that it speaks with for the team
}

// Job is a job that links the agent.
type Job struct {
	ID          groove.JobID
	Title, Goal string
	Peer        string // what the user calls it
	Foreign     bool   // the peer opened it: title and goal are its words
	Ambassador  bool   // the agent speaks in it for its team
	TTL         time.Duration
	KeepAlive   bool
	Agents      []Remote // of the peer, those that the agent may address
}

// Remote is a peer's agent as the peer shows it.
type Remote struct {
	Name        groove.AgentName
	Role, Title string
	Scope       []string
}

// Text is the briefing.
func Text(f Facts) string {
	rows := 64
	for {
		text := f.write(rows)
		if len(text) <= Max || rows == 0 {
			return place(text, f.Self.Instructions)
		}
		rows /= 2
	}
}

// here is where the instructions go: they do not count for the bound.
const here = "\x00"

func place(text, instructions string) string {
	return strings.Replace(text, here, clean(instructions), 1)
}

// clean takes out of a user's text what could not stand in a prompt.
func clean(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), here, "") }

func (f Facts) write(rows int) string {
	var b strings.Builder
	b.WriteString("This is groove's briefing. groove runs you and the other agents of your user. It says this once in a session, and again when " +
		"something in it has changed: then the newest one holds.\n")
	f.self(&b)
	f.team(&b, rows)
	f.jobs(&b, rows)
	mail := mailWakes
	if f.Self.Attached {
		mail = mailLies
	}
	b.WriteString(strings.Replace(tools, "{mail}", mail, 1))
	b.WriteString(rules)
	return strings.TrimRight(b.String(), "\n")
}

func (f Facts) self(b *strings.Builder) {
	s := f.Self
	b.WriteString("\n## You\n\n")
	fmt.Fprintf(b, "- You are the agent %s%s.\n", s.Name, describe(s.Role, s.Title))
	fmt.Fprintf(b, "- You work in %s.\n", quote(s.Dir, 600))
	if len(s.Scope) > 0 {
		fmt.Fprintf(b, "- You may change: %s. What lies outside is not yours: ask the agent whose it is, or your user.\n", globs(s.Scope, 1200))
	}
	if w := s.Worktree; w != nil {
		fmt.Fprintf(b, "- That is a git worktree of your own on the branch %s; the repository is %s. Commit there; merging is your user's.\n", quote(w.Branch, 200), quote(w.Repo, 600))
	}
	if s.Sandbox {
		b.WriteString("- You run in a sandbox: the system refuses you files outside of your directory. Say so if you need one; do not work around it.\n")
	}
	if s.Instructions != "" {
		b.WriteString("\n## Your role, in your user's words\n\n" + here + "\n")
	}
}

func (f Facts) team(b *strings.Builder, rows int) {
	if len(f.Team) == 0 {
		return
	}
	b.WriteString("\n## Your team")
	if f.Self.Team != "" {
		b.WriteString(" " + quote(f.Self.Team, 63))
	}
	b.WriteString("\n\n")
	for _, m := range f.Team[:min(rows, len(f.Team))] {
		fmt.Fprintf(b, "- %s%s", m.Name, describe(m.Role, m.Title))
		if len(m.Scope) > 0 {
			b.WriteString(", changes " + globs(m.Scope, 160))
		}
		if m.Dir != f.Self.Dir {
			b.WriteString(", in " + quote(m.Dir, 160))
		}
		b.WriteString("\n")
	}
	more(b, len(f.Team)-rows)
	f.ambassadors(b, rows)
}

// ambassadors says who speaks with peers for the agent, where it does not itself.
func (f Facts) ambassadors(b *strings.Builder, rows int) {
	for _, m := range f.Team[:min(rows, len(f.Team))] {
		var peers []string
		for _, p := range m.Speaks[:min(rows, len(m.Speaks))] {
			if !f.speaksWith(p) {
				peers = append(peers, quote(p, 64))
			}
		}
		if len(peers) > 0 {
			fmt.Fprintf(b, "\n%s speaks with the agents on %s for your team. You cannot write to them yourself: send %s what they need to know, and it brings back the answer.\n",
				m.Name, strings.Join(peers, ", "), m.Name)
		}
	}
}

func (f Facts) speaksWith(peer string) bool {
	for _, j := range f.Jobs {
		if j.Peer == peer {
			return true
		}
	}
	return false
}

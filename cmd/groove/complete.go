package main

import (
	"context"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"groove/internal/api"
	"groove/internal/config"
	"groove/internal/groove"
)

// completeWord is how a shell asks: groove __complete WORD…, the last of which is being
// typed. The answer is one candidate a line, with a tab before what it is.
const completeWord = "__complete"

// filesWord, alone, says that the shell completes names of files.
const filesWord = ":files"

// completeWait bounds what the daemon may be asked for: somebody holds a key.
const completeWait = 500 * time.Millisecond

// candidate is one word that may stand there.
type candidate struct{ word, about string }

// complete answers a shell. What cannot be known is no candidate, never an error.
func (a *app) complete(words []string) {
	if len(words) == 0 {
		words = []string{""}
	}
	ctx, cancel := context.WithTimeout(a.ctx, completeWait)
	defer cancel()
	typed := words[len(words)-1]
	spot := walk(a.parser.Model.Node, words[:len(words)-1])
	if a.open(spot.home) != nil {
		return
	}
	defer a.client.Close()
	prefix := ""
	var found []candidate
	switch name, value, assigned := strings.Cut(typed, "="); {
	case spot.flag != nil:
		found = a.values(ctx, spot.flag.Value, spot.path)
	case assigned && strings.HasPrefix(name, "--"):
		if flag := flagOf(spot.node, name[2:]); flag != nil {
			prefix, typed = name+"=", value
			found = a.values(ctx, flag.Value, spot.path)
		}
	case strings.HasPrefix(typed, "-"):
		found = flags(spot.node)
	default:
		found = a.words(ctx, spot)
	}
	// A list between commas: its last part is being typed.
	if i := strings.LastIndexByte(typed, ','); i >= 0 {
		prefix, typed = prefix+typed[:i+1], typed[i+1:]
	}
	var out strings.Builder
	for _, c := range found {
		if c.word == filesWord || strings.HasPrefix(c.word, typed) {
			out.WriteString(prefix + cell(c.word, 120) + "\t" + cell(c.about, 80) + "\n")
		}
	}
	if len(found) == 1 && found[0].word == filesWord {
		out.Reset()
		out.WriteString(filesWord + "\n")
	}
	_, _ = io.WriteString(a.out, out.String()) // a shell that is gone needs none
}

// spot is where in the command line a word is being typed.
type spot struct {
	node   *kong.Node
	path   string
	places int        // positional arguments before it
	flag   *kong.Flag // whose value it is
	home   string
}

// walk reads the words before the one that is being typed.
func walk(root *kong.Node, words []string) spot {
	s := spot{node: root}
	for _, w := range words {
		switch {
		case s.flag != nil:
			if s.flag.Name == "home" {
				s.home = w
			}
			s.flag = nil
		case strings.HasPrefix(w, "-") && w != "-":
			name, value, assigned := strings.Cut(strings.TrimLeft(w, "-"), "=")
			flag := flagOf(s.node, name)
			if flag == nil {
				continue
			}
			if assigned && flag.Name == "home" {
				s.home = value
			}
			if !assigned && !flag.IsBool() {
				s.flag = flag
			}
		default:
			if next := child(s.node, w); next != nil && s.places == 0 {
				s.node, s.path = next, strings.TrimSpace(s.path+" "+next.Name)
			} else {
				s.places++
			}
		}
	}
	return s
}

func child(n *kong.Node, name string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// flagOf finds a flag by its name or letter, of the command or those above it.
func flagOf(n *kong.Node, name string) *kong.Flag {
	for _, group := range n.AllFlags(false) {
		for _, f := range group {
			if f.Name == name || f.Short != 0 && string(f.Short) == name {
				return f
			}
		}
	}
	return nil
}

func flags(n *kong.Node) []candidate {
	out := []candidate{{"--help", "Show context-sensitive help."}}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			if f.Name != "help" {
				out = append(out, candidate{"--" + f.Name, f.Help})
			}
		}
	}
	return out
}

// words are the commands and the values of arguments that may come next.
func (a *app) words(ctx context.Context, s spot) []candidate {
	var out []candidate
	node, path := s.node, s.path
	if s.places == 0 {
		for _, c := range node.Children {
			if !c.Hidden {
				out = append(out, candidate{c.Name, c.Help})
			}
		}
		if node.DefaultCmd != nil {
			node, path = node.DefaultCmd, path+" "+node.DefaultCmd.Name
		}
	}
	if len(node.Positional) == 0 {
		return out
	}
	i := min(s.places, len(node.Positional)-1)
	if s.places >= len(node.Positional) && !node.Positional[i].IsCumulative() {
		return out
	}
	return append(out, a.values(ctx, node.Positional[i], path)...)
}

// values are what may stand for a flag or an argument.
func (a *app) values(ctx context.Context, v *kong.Value, path string) []candidate {
	if v.Enum != "" {
		var out []candidate
		for _, word := range v.EnumSlice() {
			if word != "" {
				out = append(out, candidate{word, ""})
			}
		}
		return out
	}
	switch v.Tag.Type {
	case "path", "existingfile", "existingdir":
		return []candidate{{word: filesWord}}
	}
	if ask, ok := asks[v.Name]; ok {
		return ask(ctx, a)
	}
	if path == "programs test" && v.Name == "name" {
		return asks["program"](ctx, a)
	}
	if v.Name == "id" && path == "cancel" {
		return a.waitingMessages(ctx)
	}
	if v.Name == "id" {
		return a.openQuestions(ctx)
	}
	return nil
}

// asks says, by the name of a flag or an argument, whom to ask for its values.
var asks = map[string]func(context.Context, *app) []candidate{
	"agent": func(ctx context.Context, a *app) []candidate { return a.localAgents(ctx) },
	"agents": func(ctx context.Context, a *app) []candidate {
		return append(a.localAgents(ctx), a.remoteOnes(ctx, true)...)
	},
	"peer-agents": func(ctx context.Context, a *app) []candidate { return a.remoteOnes(ctx, false) },
	"to": func(ctx context.Context, a *app) []candidate {
		return slices.Concat(a.localAgents(ctx), a.remoteOnes(ctx, true), []candidate{{"user", "you"}})
	},
	"peer": func(ctx context.Context, a *app) []candidate {
		var out []candidate
		peers, _ := a.client.Peers(ctx) // none that can be asked: none
		for _, p := range peers {
			out = append(out, candidate{p.Name, p.ID.Short() + " " + string(p.State)})
		}
		return out
	},
	"job": func(ctx context.Context, a *app) []candidate {
		var out []candidate
		jobs, _ := a.client.Jobs(ctx) // as above
		for _, j := range jobs {
			out = append(out, candidate{j.ID.Short(), j.State + " " + j.Title})
		}
		return out
	},
	"program": func(ctx context.Context, a *app) []candidate {
		var out []candidate
		all, _ := a.client.Programs(ctx, false) // as above
		for _, p := range all {
			out = append(out, candidate{p.Name, or(strings.TrimSpace(p.Path+" "+p.Version), "not installed: "+p.Install)})
		}
		return out
	},
	"key": func(context.Context, *app) []candidate {
		var out []candidate
		c, err := config.Load("/", nil, nil)
		if err != nil {
			return nil
		}
		for _, s := range c.Settings() {
			out = append(out, candidate{s.Key, s.Allowed})
		}
		return out
	},
	"change": func(context.Context, *app) []candidate { return policyWords() },
	"invite-id": func(ctx context.Context, a *app) []candidate {
		var out []candidate
		all, _ := a.client.Invites(ctx) // as above
		for _, i := range all {
			if i.State == "open" {
				out = append(out, candidate{strconv.FormatInt(i.ID, 10), strings.Join(i.For, " ")})
			}
		}
		return out
	},
	"invite": func(context.Context, *app) []candidate { return []candidate{{word: filesWord}} },
}

func (a *app) localAgents(ctx context.Context) []candidate {
	var out []candidate
	agents, _ := a.client.Agents(ctx) // as above
	for _, g := range agents {
		out = append(out, candidate{string(g.Name), string(g.Status) + " " + or(g.Title, g.Role, g.Program)})
	}
	return out
}

func (a *app) remoteOnes(ctx context.Context, withPeer bool) []candidate {
	var out []candidate
	agents, _ := a.client.RemoteAgents(ctx, "") // as above
	for _, g := range agents {
		word := string(g.Agent)
		if withPeer {
			word += "@" + or(g.PeerName, g.Peer.Short())
		}
		out = append(out, candidate{word, string(g.Status) + " " + or(g.Title, g.Role, g.Program)})
	}
	return out
}

func (a *app) openQuestions(ctx context.Context) []candidate {
	var out []candidate
	list, _ := a.client.Approvals(ctx, false) // as above
	for _, q := range list {
		out = append(out, candidate{q.ID, q.Title})
	}
	return out
}

func (a *app) waitingMessages(ctx context.Context) []candidate {
	var out []candidate
	page, _ := a.client.Messages(ctx, api.MessageFilter{Limit: 200}, 0) // as above
	for _, m := range page.Messages {
		if m.Direction == "out" && (m.State == string(groove.OutQueued) || m.State == string(groove.OutSent) || m.State == string(groove.OutHeld)) {
			out = append(out, candidate{m.ID.String(), "to " + string(m.To) + ": " + m.Text})
		}
	}
	return out
}

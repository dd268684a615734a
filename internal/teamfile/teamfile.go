// Package teamfile reads the file of `groove team up`: a name, and the agents that start
// together under it. It stands before the API, on the command line's side: what it returns
// is the request that any other client could make.
//
// It is strict: a member that is not known, a value of the wrong sort and an agent that
// lacks something are refused with the line (config.invalid), and nothing of the file is
// used. Paths in it count from the folder that it lies in.
package teamfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"groove/internal/api"
	"groove/internal/groove"
)

// maxFile bounds a file: tasks are texts of some pages, not more.
const maxFile = 1 << 20

// file is the whole of it.
type file struct {
	Name    string  `toml:"name"`
	Program string  `toml:"program"` // of agents that name none
	Dir     string  `toml:"dir"`     // likewise
	Agents  []agent `toml:"agent"`
}

type agent struct {
	Name     string   `toml:"name"`
	Role     string   `toml:"role"`
	Title    string   `toml:"title"`
	Program  string   `toml:"program"`
	Script   string   `toml:"script"`
	Dir      string   `toml:"dir"`
	Scope    []string `toml:"scope"`
	Task     string   `toml:"task"`
	Model    string   `toml:"model"`
	Mode     string   `toml:"mode"`
	Sandbox  bool     `toml:"sandbox"`
	Worktree bool     `toml:"worktree"`
	Env      []string `toml:"env"`
	RotateAt int      `toml:"rotate_at"`
	Link     *link    `toml:"link"`
}

type link struct {
	Peer      string   `toml:"peer"`
	Agents    []string `toml:"agents"`
	Peers     []peer   `toml:"peers"`
	Mode      string   `toml:"mode"`
	Title     string   `toml:"title"`
	Goal      string   `toml:"goal"`
	TTL       length   `toml:"ttl"`
	Idle      length   `toml:"idle"`
	KeepAlive *bool    `toml:"keep_alive"`
}

type peer struct {
	Peer   string   `toml:"peer"`
	Agents []string `toml:"agents"`
}

// length is a time as people write it: 2h, 90m.
type length time.Duration

// UnmarshalText reads it.
func (l *length) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	if err != nil || d < time.Minute || d > 24*time.Hour || d%time.Second != 0 {
		return fmt.Errorf("%.40q is no time from 1m to 24h", b)
	}
	*l = length(d)
	return nil
}

func (l length) seconds() int64 { return int64(time.Duration(l) / time.Second) }

// Read reads a team's file. It fails with KindConfigInvalid, naming the file and the line.
func Read(name string) (api.TeamRequest, error) {
	f, err := os.Open(name)
	if err != nil {
		return api.TeamRequest{}, refuse(name, err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return api.TeamRequest{}, refuse(name, err)
	}
	folder, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return api.TeamRequest{}, refuse(name, err)
	}
	out, err := Parse(raw, folder)
	if err != nil {
		return api.TeamRequest{}, refuse(name, err)
	}
	return out, nil
}

func refuse(name string, err error) error {
	return (&groove.Error{Op: "read " + name, Kind: groove.KindConfigInvalid, Err: err}).WithFix("docs/teams.md shows what may stand in it")
}

// Parse is Read of a text whose paths count from folder.
func Parse(raw []byte, folder string) (api.TeamRequest, error) {
	if len(raw) > maxFile {
		return api.TeamRequest{}, fmt.Errorf("it is over %d KiB", maxFile>>10)
	}
	var f file
	if err := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(&f); err != nil {
		return api.TeamRequest{}, lined(err)
	}
	out := api.TeamRequest{Name: f.Name}
	switch {
	case f.Name == "":
		return out, errors.New("line 1: the team has no name: name = \"…\"")
	case len(f.Agents) == 0:
		return out, errors.New("line 1: the team has no agent: [[agent]]")
	}
	lines := agentLines(raw)
	for i, a := range f.Agents {
		r, err := a.request(&f, folder)
		if err != nil {
			return out, fmt.Errorf("line %d: %w", lines(i), err)
		}
		out.Agents = append(out.Agents, r)
	}
	return out, nil
}

// lined puts the line before what the decoder says.
func lined(err error) error {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) && len(strict.Errors) > 0 {
		row, _ := strict.Errors[0].Position()
		return fmt.Errorf("line %d: there is no %s", row, strings.Join(strict.Errors[0].Key(), "."))
	}
	var at *toml.DecodeError
	if errors.As(err, &at) {
		row, _ := at.Position()
		said := strings.TrimPrefix(at.Error(), "toml: ")
		if key := strings.Join(at.Key(), "."); key != "" && !strings.Contains(said, key) {
			said = key + ": " + said
		}
		return fmt.Errorf("line %d: %s", row, said)
	}
	return err
}

// agentLines tells in which line the nth agent begins.
func agentLines(raw []byte) func(int) int {
	var lines []int
	var p unstable.Parser
	p.Reset(raw)
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind != unstable.ArrayTable {
			continue
		}
		keys := e.Key()
		if !keys.Next() || string(keys.Node().Data) != "agent" || !keys.IsLast() {
			continue
		}
		lines = append(lines, p.Shape(keys.Node().Raw).Start.Line)
	}
	return func(i int) int {
		if i < len(lines) {
			return lines[i]
		}
		return 1 // agent = [{…}]
	}
}

func (a *agent) request(f *file, folder string) (api.SpawnRequest, error) {
	r := api.SpawnRequest{Name: groove.AgentName(a.Name), Role: a.Role, Title: a.Title, Program: cmp.Or(a.Program, f.Program), Scope: a.Scope,
		Task: a.Task, Model: a.Model, Mode: a.Mode, Sandbox: a.Sandbox, Worktree: a.Worktree, Env: a.Env, RotateAt: a.RotateAt}
	if !r.Name.Valid() {
		return r, fmt.Errorf("an agent has the name %.80q: it takes a-z, 0-9, '.', '_' and '-'", a.Name)
	}
	r.Dir = inside(folder, cmp.Or(a.Dir, f.Dir))
	if a.Script != "" {
		r.Script = inside(folder, a.Script)
	}
	var err error
	r.Link, err = a.Link.request(a.Name)
	return r, err
}

func inside(folder, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(folder, path)
}

func (l *link) request(agent string) (*api.LinkRequest, error) {
	if l == nil {
		return nil, nil
	}
	switch {
	case (l.Peer == "") == (len(l.Peers) == 0):
		return nil, fmt.Errorf("the link of %s names a peer: peer = \"…\", or several with [[agent.link.peers]]", agent)
	case l.Mode != "" && l.Mode != "ambassador" && l.Mode != "direct":
		return nil, fmt.Errorf("the link of %s has the mode %.40q: it is ambassador or direct", agent, l.Mode)
	}
	out := &api.LinkRequest{Peer: l.Peer, Agents: agentNames(l.Agents), Mode: l.Mode, Title: l.Title, Goal: l.Goal,
		TTL: l.TTL.seconds(), Idle: l.Idle.seconds(), KeepAlive: l.KeepAlive}
	for _, p := range l.Peers {
		if p.Peer == "" {
			return nil, fmt.Errorf("a peer of the link of %s has no name: peer = \"…\"", agent)
		}
		out.Peers = append(out.Peers, api.LinkPeer{Peer: p.Peer, Agents: agentNames(p.Agents)})
	}
	return out, nil
}

func agentNames(list []string) []groove.AgentName {
	var out []groove.AgentName
	for _, s := range list {
		out = append(out, groove.AgentName(s))
	}
	return out
}

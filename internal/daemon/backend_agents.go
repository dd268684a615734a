package daemon

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"groove/internal/agents"
	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/rules"
)

// Spawn is api.Lifecycle.
func (d *daemon) Spawn(ctx context.Context, r api.SpawnRequest) (groove.Agent, error) {
	spec := agents.Spec{Name: r.Name, Program: r.Program, Title: r.Title, Role: r.Role, Dir: r.Dir, Scope: r.Scope, Env: r.Env, Task: r.Task,
		AgentOptions: groove.AgentOptions{Team: r.Team, Model: r.Model, Mode: r.Mode, Resume: r.Resume, Sandbox: r.Sandbox, Rules: r.Rules, Budget: r.Budget, RotateAt: r.RotateAt}}
	if err := rules.Check(r.Rules); err != nil {
		return groove.Agent{}, err
	}
	if r.Script != "" {
		if !filepath.IsAbs(r.Script) {
			return groove.Agent{}, groove.Errorf("spawn", groove.KindInvalid, "script %q is not an absolute path", r.Script)
		}
		if _, err := os.Stat(r.Script); err != nil {
			return groove.Agent{}, groove.Errorf("spawn", groove.KindInvalid, "the script cannot be read: %w", err)
		}
		spec.Argv = []string{"--script", r.Script}
	}
	if err := d.settleProgram(ctx, &spec); err != nil {
		return groove.Agent{}, err
	}
	return d.spawnInPlace(ctx, spec, r.Worktree)
}

// Kill is api.Lifecycle.
func (d *daemon) Kill(ctx context.Context, ref string) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	if err := d.agents.Kill(ctx, a.Name); err != nil {
		return a, err
	}
	return d.agents.Get(ctx, string(a.Name))
}

// Done is api.Lifecycle.
func (d *daemon) Done(ctx context.Context, ref string, r api.DoneRequest) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	if r.Job != "" {
		if r.Job, err = d.bridge.Find(string(r.Job)); err != nil {
			return a, err
		}
	}
	if err := (desk{d}).Done(ctx, a.Name, r.Summary, r.Job); err != nil {
		return a, err
	}
	return d.agents.Get(ctx, string(a.Name))
}

// Attach is api.Lifecycle.
func (d *daemon) Attach(ctx context.Context, r api.AttachRequest) (api.Attachment, error) {
	spec := agents.Spec{Name: r.Name, Program: r.Program, Title: r.Title, Role: r.Role, Dir: r.Dir, Scope: r.Scope, Task: r.Task,
		AgentOptions: groove.AgentOptions{Team: r.Team}}
	if r.Later {
		agent, err := d.agents.Join(ctx, spec)
		return api.Attachment{Agent: agent, Release: func() {}}, err
	}
	at, err := d.agents.Attach(ctx, spec)
	if err != nil {
		return api.Attachment{}, err
	}
	return api.Attachment{Agent: at.Agent, Token: at.Token, MCPURL: d.server.MCPURL(), Gone: at.Gone,
		Release: func() { d.agents.Detach(at.Agent.Name, at.Token) }}, nil
}

// ListAgents is api.Registry.
func (d *daemon) ListAgents(ctx context.Context) ([]groove.Agent, error) {
	list, err := d.agents.List(ctx)
	if err != nil {
		return nil, err
	}
	return list, d.addBreaches(ctx, list)
}

// FindAgent is api.Registry.
func (d *daemon) FindAgent(ctx context.Context, ref string) (groove.Agent, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return a, err
	}
	one := []groove.Agent{a}
	err = d.addBreaches(ctx, one)
	return one[0], err
}

// registryWait bounds how long a list of remote agents waits for the peer: what is
// known is shown when it does not answer.
const registryWait = 3 * time.Second

// RemoteAgents is api.Registry: of one peer it asks the peer first.
func (d *daemon) RemoteAgents(ctx context.Context, ref string) ([]groove.RemoteAgent, error) {
	if ref == "" {
		return d.remoteAgents(ctx, "")
	}
	peer, err := d.book.Find(ref)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, registryWait)
	defer cancel()
	if err := d.bridge.SyncRegistry(wait, peer); err != nil {
		d.log.Info("remote agents not refreshed", "peer", peer.ID.Short(), "kind", groove.KindOf(err))
	}
	return d.remoteAgents(ctx, peer.ID)
}

func (d *daemon) remoteAgents(ctx context.Context, of groove.DaemonID) ([]groove.RemoteAgent, error) {
	out := []groove.RemoteAgent{}
	for _, p := range d.book.Peers() {
		if of != "" && p.ID != of {
			continue
		}
		for _, r := range d.remotes.List(ctx, p.PK) {
			out = append(out, groove.RemoteAgent{Peer: p.ID, PeerName: p.Name, Seen: groove.At(r.Seen), Card: r.Card})
		}
	}
	return out, nil
}

// Output is api.Registry. Who follows is told at once when the agent ends.
func (d *daemon) Output(ctx context.Context, ref string, offset int64) (api.Output, error) {
	a, err := d.agents.Get(ctx, ref)
	if err != nil {
		return api.Output{}, err
	}
	wait := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		wait = time.Until(deadline)
	}
	alive, end := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		d.awaitEnd(alive, a.Name)
		end()
	}()
	data, next, err := d.agents.ReadOutput(alive, a.Name, offset, wait)
	end()
	<-watched
	status, _ := d.agents.Lookup(a.Name)
	return api.Output{Data: string(data), Next: next, End: status.Ended() && len(data) == 0}, err
}

// awaitEnd returns when the agent has ended, or ctx has.
func (d *daemon) awaitEnd(ctx context.Context, name groove.AgentName) {
	for n := d.changes.now(); ctx.Err() == nil; n = d.changes.after(ctx, n) {
		if status, _ := d.agents.Lookup(name); status.Ended() {
			return
		}
	}
}

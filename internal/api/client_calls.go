package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"groove/internal/groove"
)

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var out T
	err := c.call(ctx, http.MethodGet, path, query, nil, &out)
	return out, err
}

func post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	var out T
	err := c.call(ctx, http.MethodPost, path, nil, in, &out)
	return out, err
}

func seconds(d time.Duration) string {
	return strconv.FormatInt(int64(min(d, MaxPoll)/time.Second), 10)
}

func agentPath(name, rest string) string { return "/api/agents/" + url.PathEscape(name) + rest }

// Health says whether a daemon answers.
func (c *Client) Health(ctx context.Context) (Health, error) {
	return get[Health](ctx, c, healthPath, nil)
}

// Status returns how the daemon is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return get[Status](ctx, c, "/api/status", nil)
}

// Stop begins to stop the daemon.
func (c *Client) Stop(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "/api/stop", nil, nil, nil)
}

// GateMode switches the gate of the running daemon.
func (c *Client) GateMode(ctx context.Context, mode string) (Gate, error) {
	return post[Gate](ctx, c, "/api/gate/mode", GateModeRequest{Mode: mode})
}

// GateRuleset returns an nftables ruleset for who is admitted now.
func (c *Client) GateRuleset(ctx context.Context) (Ruleset, error) {
	return get[Ruleset](ctx, c, "/api/gate/ruleset", nil)
}

// Agents returns the agents of the daemon.
func (c *Client) Agents(ctx context.Context) ([]groove.Agent, error) {
	return get[[]groove.Agent](ctx, c, "/api/agents", nil)
}

// Agent returns one agent by name or unique prefix.
func (c *Client) Agent(ctx context.Context, ref string) (groove.Agent, error) {
	return get[groove.Agent](ctx, c, agentPath(ref, ""), nil)
}

// Worktrees returns the git worktrees of agents.
func (c *Client) Worktrees(ctx context.Context) ([]AgentWorktree, error) {
	return get[[]AgentWorktree](ctx, c, "/api/worktrees", nil)
}

// RemoveWorktree removes that of an agent that has ended.
func (c *Client) RemoveWorktree(ctx context.Context, ref string, force bool) (RemovedWorktree, error) {
	var out RemovedWorktree
	err := c.call(ctx, http.MethodDelete, "/api/worktrees/"+url.PathEscape(ref), url.Values{"force": {strconv.FormatBool(force)}}, nil, &out)
	return out, err
}

// Kill ends an agent.
func (c *Client) Kill(ctx context.Context, ref string) (groove.Agent, error) {
	return post[groove.Agent](ctx, c, agentPath(ref, "/kill"), nil)
}

// Done says that an agent's work is complete.
func (c *Client) Done(ctx context.Context, ref string, r DoneRequest) (groove.Agent, error) {
	return post[groove.Agent](ctx, c, agentPath(ref, "/done"), r)
}

// Rules returns what answers an agent's permission requests before its user is asked.
func (c *Client) Rules(ctx context.Context, ref string) (Rules, error) {
	return get[Rules](ctx, c, agentPath(ref, "/rules"), nil)
}

// SetRules replaces them.
func (c *Client) SetRules(ctx context.Context, ref string, r Rules) (Rules, error) {
	var out Rules
	err := c.call(ctx, http.MethodPut, agentPath(ref, "/rules"), nil, r, &out)
	return out, err
}

// Review returns the text of peers that is in an agent's context and was not reviewed.
func (c *Client) Review(ctx context.Context, ref string) (Review, error) {
	return get[Review](ctx, c, agentPath(ref, "/review"), nil)
}

// Reviewed says that what a Review showed was read.
func (c *Client) Reviewed(ctx context.Context, ref string, r ReviewRequest) (groove.Agent, error) {
	return post[groove.Agent](ctx, c, agentPath(ref, "/review"), r)
}

// Output returns recorded output from offset on; with wait it waits for some.
func (c *Client) Output(ctx context.Context, ref string, offset int64, wait time.Duration) (Output, error) {
	return get[Output](ctx, c, agentPath(ref, "/output"), url.Values{"offset": {strconv.FormatInt(offset, 10)}, "wait": {seconds(wait)}})
}

// RemoteAgents returns the agents of a peer, "" = of all.
func (c *Client) RemoteAgents(ctx context.Context, peer string) ([]groove.RemoteAgent, error) {
	path := "/api/federation/remote-agents"
	if peer != "" {
		path += "/" + url.PathEscape(peer)
	}
	return get[[]groove.RemoteAgent](ctx, c, path, nil)
}

// Send sends a message as the caller and returns once it is committed.
func (c *Client) Send(ctx context.Context, r MessageRequest) (groove.Sent, error) {
	return post[groove.Sent](ctx, c, sendPath, r)
}

// Inbox returns the last messages to an agent.
func (c *Client) Inbox(ctx context.Context, agent string, limit int) ([]groove.Mail, error) {
	return get[[]groove.Mail](ctx, c, "/api/federation/bridge/inbox/"+url.PathEscape(agent), url.Values{"limit": {strconv.Itoa(limit)}})
}

// Messages returns messages; with wait and f.After it waits for a change.
func (c *Client) Messages(ctx context.Context, f MessageFilter, wait time.Duration) (Messages, error) {
	q := url.Values{"wait": {seconds(wait)}, "after": {strconv.FormatUint(f.After, 10)}}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	for name, value := range map[string]string{"job": f.Job, "agent": f.Agent, "id": f.ID.String(), "before": f.Before} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Steps {
		q.Set("steps", "true")
	}
	return get[Messages](ctx, c, "/api/messages", q)
}

// CancelMessage gives up a message that waits.
func (c *Client) CancelMessage(ctx context.Context, id groove.MessageID) (groove.Mail, error) {
	return post[groove.Mail](ctx, c, "/api/messages/"+id.String()+"/cancel", nil)
}

// Jobs returns the jobs with their legs.
func (c *Client) Jobs(ctx context.Context) ([]Job, error) {
	return get[[]Job](ctx, c, "/api/federation/bridge/status", nil)
}

// OpenJob opens a job.
func (c *Client) OpenJob(ctx context.Context, r OpenRequest) (Job, error) {
	return post[Job](ctx, c, "/api/federation/bridge/open", r)
}

// CloseJob ends a job.
func (c *Client) CloseJob(ctx context.Context, r JobRequest) (Job, error) {
	return post[Job](ctx, c, "/api/federation/bridge/close", r)
}

// PauseJob pauses a job.
func (c *Client) PauseJob(ctx context.Context, r JobRequest) (Job, error) {
	return post[Job](ctx, c, "/api/federation/bridge/pause", r)
}

// ResumeJob resumes a job that was paused here.
func (c *Client) ResumeJob(ctx context.Context, r JobRequest) (Job, error) {
	return post[Job](ctx, c, "/api/federation/bridge/resume", r)
}

// ExtendJob asks the peers of a job for a later end.
func (c *Client) ExtendJob(ctx context.Context, r ExtendRequest) (Job, error) {
	return post[Job](ctx, c, "/api/federation/bridge/extend", r)
}

// ReopenJob opens a new job with the contract of one that has ended.
func (c *Client) ReopenJob(ctx context.Context, job groove.JobID) (Job, error) {
	return post[Job](ctx, c, "/api/federation/bridge/reopen", JobRequest{Job: job})
}

// Peers returns the paired daemons.
func (c *Client) Peers(ctx context.Context) ([]Peer, error) {
	return get[[]Peer](ctx, c, "/api/federation/peers", nil)
}

// Probe tries to reach a peer, and says how far that came.
func (c *Client) Probe(ctx context.Context, ref string) (Probe, error) {
	return post[Probe](ctx, c, "/api/federation/peers/"+url.PathEscape(ref)+"/probe", nil)
}

// Programs returns the agent programs, and whether they can be started. With ask, those whose
// version no file tells are run to hear it, which takes seconds the first time.
func (c *Client) Programs(ctx context.Context, ask bool) ([]Program, error) {
	query := url.Values{}
	if ask {
		query.Set("versions", "true")
	}
	return get[[]Program](ctx, c, "/api/programs", query)
}

// TestProgram has a program run a turn that calls a tool. What failed is in the answer.
func (c *Client) TestProgram(ctx context.Context, name string, r ProgramTestRequest) (ProgramTest, error) {
	return post[ProgramTest](ctx, c, "/api/programs/"+url.PathEscape(name)+"/test", r)
}

// Invite makes a single-use invite.
func (c *Client) Invite(ctx context.Context, r InviteRequest) (Invite, error) {
	return post[Invite](ctx, c, "/api/federation/invites", r)
}

// Pair uses an invite and returns when both sides have confirmed.
func (c *Client) Pair(ctx context.Context, r PairRequest) (Peer, error) {
	p, err := post[Pairing](ctx, c, pairPath, r)
	if err != nil || p.Peer == nil {
		return Peer{}, err
	}
	return *p.Peer, nil
}

// Arm begins to pair with r.Address by five words.
func (c *Client) Arm(ctx context.Context, r PairRequest) (Pairing, error) {
	return post[Pairing](ctx, c, pairPath, r)
}

// Pairings returns the pairings with five words, oldest first.
func (c *Client) Pairings(ctx context.Context) ([]Pairing, error) {
	return get[[]Pairing](ctx, c, pairPath, nil)
}

// Pairing returns one; with wait it waits for a change since after.
func (c *Client) Pairing(ctx context.Context, id string, after uint64, wait time.Duration) (Pairing, error) {
	return get[Pairing](ctx, c, pairPath+"/"+url.PathEscape(id), url.Values{"after": {strconv.FormatUint(after, 10)}, "wait": {seconds(wait)}})
}

// Confirm says whether both machines show the same words.
func (c *Client) Confirm(ctx context.Context, id string, r ConfirmRequest) (Pairing, error) {
	return post[Pairing](ctx, c, pairPath+"/"+url.PathEscape(id)+"/confirm", r)
}

// CancelPairing calls a pairing off.
func (c *Client) CancelPairing(ctx context.Context, id string) (Pairing, error) {
	var out Pairing
	err := c.call(ctx, http.MethodDelete, pairPath+"/"+url.PathEscape(id), nil, nil, &out)
	return out, err
}

// Readdress changes how a peer is reached.
func (c *Client) Readdress(ctx context.Context, ref string, r ReaddressRequest) (Peer, error) {
	return post[Peer](ctx, c, "/api/federation/peers/"+url.PathEscape(ref)+"/address", r)
}

// Unpair unpairs and returns what is cancelled by it.
func (c *Client) Unpair(ctx context.Context, ref string) (Unpaired, error) {
	var out Unpaired
	err := c.call(ctx, http.MethodDelete, "/api/federation/peers/"+url.PathEscape(ref), nil, nil, &out)
	return out, err
}

// Approvals returns questions to the user, with all also those that are closed.
func (c *Client) Approvals(ctx context.Context, all bool) ([]Approval, error) {
	return get[[]Approval](ctx, c, "/api/approvals", url.Values{"all": {strconv.FormatBool(all)}})
}

// Answer answers a question.
func (c *Client) Answer(ctx context.Context, ref string, r AnswerRequest) (Approval, error) {
	return post[Approval](ctx, c, "/api/approvals/"+url.PathEscape(ref), r)
}

// Audit returns rows of the record after n, -1 = the last ones.
func (c *Client) Audit(ctx context.Context, n int64, limit int) (Audit, error) {
	return get[Audit](ctx, c, "/api/audit", url.Values{"after": {strconv.FormatInt(n, 10)}, "limit": {strconv.Itoa(limit)}})
}

// VerifyAudit checks the record.
func (c *Client) VerifyAudit(ctx context.Context) (AuditReport, error) {
	return get[AuditReport](ctx, c, "/api/audit/verify", nil)
}

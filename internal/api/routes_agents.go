package api

import (
	"context"
	"net/http"

	"groove/internal/groove"
)

func (h *Handler) agentRoutes() {
	b := h.backend
	type spawnIn struct{ Body SpawnRequest }
	type nameIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
	}
	add(h, Route{"spawn", http.MethodPost, "/api/agents", UserOnly, "Start an agent. Answers once it is committed; its program starts meanwhile: progress, then a session, or failed with the reason. Events of topic agent tell of each change.", http.StatusCreated},
		func(ctx context.Context, in *spawnIn) (*body[groove.Agent], error) {
			return answer(b.Agents.Spawn(ctx, in.Body))
		})
	add(h, Route{"listAgents", http.MethodGet, "/api/agents", UserAgent, "Agents of this daemon.", 0},
		func(ctx context.Context, in *Paging) (*page[groove.Agent], error) {
			all, err := b.Agents.ListAgents(ctx)
			for i := range all {
				discreet(ctx, &all[i])
			}
			return paged(all, err, *in, func(a *groove.Agent) string { return string(a.Name) })
		})
	add(h, Route{"findAgent", http.MethodGet, "/api/agents/{name}", UserAgent, "One agent of this daemon.", 0},
		func(ctx context.Context, in *nameIn) (*body[groove.Agent], error) {
			a, err := b.Agents.FindAgent(ctx, in.Name)
			discreet(ctx, &a)
			return answer(a, err)
		})
	add(h, Route{"kill", http.MethodPost, "/api/agents/{name}/kill", UserOnly, "End an agent's program and all that it started.", 0},
		func(ctx context.Context, in *nameIn) (*body[groove.Agent], error) {
			return answer(b.Agents.Kill(ctx, in.Name))
		})
	type interruptIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		Body InterruptRequest
	}
	add(h, Route{"interrupt", http.MethodPost, "/api/agents/{name}/interrupt", UserOnly, "End an agent's running turn; what it was given counts as read. Answers when the turn is over.", 0},
		func(ctx context.Context, in *interruptIn) (*body[groove.Agent], error) {
			return answer(b.Agents.Interrupt(ctx, in.Name, in.Body.Kill))
		})
	type steerIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		Body SteerRequest
	}
	add(h, Route{"steer", http.MethodPost, "/api/agents/{name}/steer", UserOnly, "Give an agent the user's message now: in its running turn where its program takes that, else the turn is interrupted and the message goes first into the next. note says which.", http.StatusAccepted},
		func(ctx context.Context, in *steerIn) (*body[groove.Sent], error) {
			return answer(b.Agents.Steer(ctx, in.Name, in.Body.Payload))
		})
	type doneIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix; an agent's own name in full"`
		Body DoneRequest
	}
	add(h, Route{"done", http.MethodPost, "/api/agents/{name}/done", UserAgent, "Say that an agent's work is complete.", 0},
		func(ctx context.Context, in *doneIn) (*body[groove.Agent], error) {
			if err := own(ctx, in.Name); err != nil {
				return nil, err
			}
			return answer(b.Agents.Done(ctx, in.Name, in.Body))
		})
	add(h, Route{"rules", http.MethodGet, "/api/agents/{name}/rules", UserOnly, "What answers an agent's permission requests before its user is asked.", 0},
		func(ctx context.Context, in *nameIn) (*body[Rules], error) {
			return answer(b.Agents.Rules(ctx, in.Name))
		})
	type rulesIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		Body Rules
	}
	add(h, Route{"setRules", http.MethodPut, "/api/agents/{name}/rules", UserOnly, "Replace them.", 0},
		func(ctx context.Context, in *rulesIn) (*body[Rules], error) {
			return answer(b.Agents.SetRules(ctx, in.Name, in.Body))
		})
	add(h, Route{"review", http.MethodGet, "/api/agents/{name}/review", UserOnly, "Text of peers that is in an agent's context and was not reviewed.", 0},
		func(ctx context.Context, in *nameIn) (*body[Review], error) {
			return answer(b.Agents.Review(ctx, in.Name))
		})
	type reviewIn struct {
		Name string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		Body ReviewRequest
	}
	add(h, Route{"reviewed", http.MethodPost, "/api/agents/{name}/review", UserOnly, "Say that it was read: rules allow again.", 0},
		func(ctx context.Context, in *reviewIn) (*body[groove.Agent], error) {
			return answer(b.Agents.Reviewed(ctx, in.Name, in.Body))
		})
	type outputIn struct {
		Name   string `path:"name" maxLength:"63" doc:"name or unique prefix"`
		Offset int64  `query:"offset" minimum:"0"`
		Wait   int    `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for more"`
	}
	add(h, Route{"output", http.MethodGet, "/api/agents/{name}/output", UserOnly, "Recorded output of an agent's session, as JSON lines.", 0},
		func(ctx context.Context, in *outputIn) (*body[Output], error) {
			ctx, cancel := poll(ctx, in.Wait)
			defer cancel()
			return answer(b.Agents.Output(ctx, in.Name, in.Offset))
		})

	h.worktreeRoutes()
	h.changesRoutes()

	type peerIn struct {
		Paging
		Peer string `path:"peerId" maxLength:"64" doc:"name or ID prefix"`
	}
	add(h, Route{"remoteAgents", http.MethodGet, "/api/federation/remote-agents", UserAgent, "Agents that peers show.", 0},
		func(ctx context.Context, in *Paging) (*page[groove.RemoteAgent], error) {
			all, err := b.Agents.RemoteAgents(ctx, "")
			return paged(all, err, *in, remoteKey)
		})
	add(h, Route{"remoteAgentsOf", http.MethodGet, "/api/federation/remote-agents/{peerId}", UserAgent, "Agents that one peer shows.", 0},
		func(ctx context.Context, in *peerIn) (*page[groove.RemoteAgent], error) {
			all, err := b.Agents.RemoteAgents(ctx, in.Peer)
			return paged(all, err, in.Paging, remoteKey)
		})
}

func remoteKey(r *groove.RemoteAgent) string { return string(r.Peer) + "." + string(r.Agent) }

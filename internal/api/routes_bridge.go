package api

import (
	"context"
	"net/http"
	"slices"

	"groove/internal/groove"
)

func (h *Handler) bridgeRoutes() {
	b := h.backend
	type jobIn struct {
		Job string `path:"jobId" maxLength:"26" doc:"ID or unique prefix of 4 letters or more"`
	}
	add(h, Route{"job", http.MethodGet, "/api/federation/bridge/status/{jobId}", UserOnly, "One job.", 0},
		func(ctx context.Context, in *jobIn) (*body[Job], error) {
			all, err := b.Bridge.Jobs(ctx)
			if err != nil {
				return nil, err
			}
			return answer(one(all, in.Job, jobKey, "job", groove.KindJobUnknown, "groove federation bridge status"))
		})
	type openIn struct{ Body OpenRequest }
	add(h, Route{"bridgeOpen", http.MethodPost, "/api/federation/bridge/open", UserOnly, "Open a job with a peer.", http.StatusCreated},
		func(ctx context.Context, in *openIn) (*body[Job], error) {
			return answer(b.Bridge.OpenJob(ctx, in.Body))
		})
	type closeIn struct{ Body JobRequest }
	add(h, Route{"bridgeClose", http.MethodPost, "/api/federation/bridge/close", UserOnly, "End a job.", 0},
		func(ctx context.Context, in *closeIn) (*body[Job], error) {
			return answer(b.Bridge.CloseJob(ctx, in.Body))
		})
	add(h, Route{"bridgePause", http.MethodPost, "/api/federation/bridge/pause", UserOnly, "Pause a job: messages wait until it is resumed.", 0},
		func(ctx context.Context, in *closeIn) (*body[Job], error) {
			return answer(b.Bridge.PauseJob(ctx, in.Body))
		})
	add(h, Route{"bridgeResume", http.MethodPost, "/api/federation/bridge/resume", UserOnly, "Resume a job that was paused here.", 0},
		func(ctx context.Context, in *closeIn) (*body[Job], error) {
			return answer(b.Bridge.ResumeJob(ctx, in.Body))
		})
	type extendIn struct{ Body ExtendRequest }
	add(h, Route{"bridgeExtend", http.MethodPost, "/api/federation/bridge/extend", UserOnly, "Ask the peers of a job for a later end.", http.StatusAccepted},
		func(ctx context.Context, in *extendIn) (*body[Job], error) {
			return answer(b.Bridge.ExtendJob(ctx, in.Body))
		})
	add(h, Route{"bridgeReopen", http.MethodPost, "/api/federation/bridge/reopen", UserOnly, "Open a new job with the contract of one that has ended; what waits in it moves over.", http.StatusCreated},
		func(ctx context.Context, in *closeIn) (*body[Job], error) {
			return answer(b.Bridge.ReopenJob(ctx, string(in.Body.Job)))
		})
	h.sendRoute()
}

func jobKey(j *Job) string { return string(j.ID) }

func (h *Handler) messageRoutes() {
	b := h.backend
	type inboxIn struct {
		Agent  string `path:"agentId" maxLength:"63" doc:"agent's name, or user"`
		Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000"`
		Before int64  `query:"before" minimum:"0" doc:"pos of the first message of an earlier page: only older ones"`
		Waits  bool   `query:"waiting" doc:"only what the agent has yet to be given"`
	}
	add(h, Route{"inbox", http.MethodGet, "/api/federation/bridge/inbox/{agentId}", UserAgent, "Last messages to an agent, oldest first. Moves no cursor.", 0},
		func(ctx context.Context, in *inboxIn) (*body[[]groove.Mail], error) {
			if err := own(ctx, in.Agent); err != nil {
				return nil, err
			}
			if caller := callerFrom(ctx); caller != groove.User {
				mails, err := b.Mailbox.OwnInbox(ctx, caller, in.Before, in.Limit)
				if in.Waits {
					mails = slices.DeleteFunc(mails, func(m groove.Mail) bool {
						return m.State != string(groove.InStored) && m.State != string(groove.InDelivering)
					})
				}
				return list(mails, err)
			}
			return list(b.Mailbox.Inbox(ctx, in.Agent, in.Before, in.Limit, in.Waits))
		})
	type messagesIn struct {
		Job    string `query:"job" maxLength:"26" doc:"ID or unique prefix"`
		Agent  string `query:"agent" maxLength:"63" doc:"sender or receiver"`
		ID     string `query:"id" maxLength:"36"`
		Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000"`
		After  uint64 `query:"after" doc:"next of an earlier answer: only what changed since"`
		Wait   int    `query:"wait" minimum:"0" maximum:"30" doc:"seconds to wait for a change"`
		Before string `query:"before" maxLength:"64" doc:"before of an earlier answer: the page of older ones"`
		Steps  bool   `query:"steps" doc:"with the times of each message's steps, as far as they are kept"`
	}
	add(h, Route{"messages", http.MethodGet, "/api/messages", UserOnly, "Messages sent and received, with how far each has come.", 0},
		func(ctx context.Context, in *messagesIn) (*body[Messages], error) {
			f := MessageFilter{Job: in.Job, Agent: in.Agent, Limit: in.Limit, After: in.After, Before: in.Before, Steps: in.Steps}
			if in.ID != "" {
				id, err := groove.ParseMessageID(in.ID)
				if err != nil {
					return nil, messageUnknown(in.ID)
				}
				f.ID = id
			}
			ctx, cancel := poll(ctx, in.Wait)
			defer cancel()
			if in.Wait == 0 {
				cancel() // whatever is there, at once
			}
			page, err := b.Mailbox.Messages(ctx, f)
			if page.Messages == nil {
				page.Messages = []groove.Mail{}
			}
			return answer(page, err)
		})
	type messageIn struct {
		ID string `path:"id" maxLength:"36"`
	}
	add(h, Route{"message", http.MethodGet, "/api/messages/{id}", UserOnly, "One message, with how far it has come.", 0},
		func(ctx context.Context, in *messageIn) (*body[groove.Mail], error) {
			id, err := groove.ParseMessageID(in.ID)
			if err != nil {
				return nil, messageUnknown(in.ID)
			}
			ctx, cancel := context.WithCancel(ctx)
			cancel() // what is there, at once
			found, err := b.Mailbox.Messages(ctx, MessageFilter{ID: id, Limit: 1})
			if err == nil && len(found.Messages) == 0 {
				err = messageUnknown(in.ID)
			}
			if err != nil {
				return nil, err
			}
			return answer(found.Messages[0], nil)
		})
	type cancelIn struct {
		ID string `path:"id" maxLength:"36"`
	}
	add(h, Route{"cancelMessage", http.MethodPost, "/api/messages/{id}/cancel", UserOnly, "Give up a message that waits.", 0},
		func(ctx context.Context, in *cancelIn) (*body[groove.Mail], error) {
			id, err := groove.ParseMessageID(in.ID)
			if err != nil {
				return nil, messageUnknown(in.ID)
			}
			return answer(b.Mailbox.Cancel(ctx, id))
		})
}

func messageUnknown(id string) error {
	return groove.Errorf("find message", groove.KindMessageUnknown, "no message has the id %q", groove.CleanLabel(id, 64)).WithFix("groove messages")
}

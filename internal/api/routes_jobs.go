package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

const jobExportPath = "/api/federation/bridge/status/{jobId}/export"

func (h *Handler) jobRoutes() {
	b := h.backend
	type findIn struct {
		Paging
		Text  string `query:"q" maxLength:"200" doc:"in title, goal, ID, names of peers and agents, or the text of a message, whatever the case"`
		Peer  string `query:"peer" maxLength:"64" doc:"name or ID prefix"`
		Agent string `query:"agent" maxLength:"63" doc:"of either side"`
		State string `query:"state" enum:"live,dialing,handshaking,proposed,open,paused,resting,closing,closed" doc:"of the job; live: not closed"`
	}
	add(h, Route{"bridgeStatus", http.MethodGet, "/api/federation/bridge/status", UserOnly, "Jobs and their legs, newest first.", 0},
		func(ctx context.Context, in *findIn) (*page[Job], error) {
			all, err := b.Jobs.FindJobs(ctx, JobFilter{Text: in.Text, Peer: in.Peer, Agent: in.Agent, State: in.State})
			return paged(all, err, in.Paging, jobKey)
		})
	type refIn struct {
		Job string `path:"jobId" maxLength:"26" doc:"ID or unique prefix of 4 letters or more"`
	}
	add(h, Route{"jobRecord", http.MethodGet, "/api/federation/bridge/status/{jobId}/record", UserOnly, "What is kept of a job beside its messages: contract, counts, round trips, what happened.", 0},
		func(ctx context.Context, in *refIn) (*body[JobRecord], error) {
			return answer(b.Jobs.JobRecord(ctx, in.Job))
		})
	type exportIn struct {
		Job    string `path:"jobId" maxLength:"26" doc:"ID or unique prefix of 4 letters or more"`
		Format string `query:"format" default:"md" enum:"md,json"`
	}
	add(h, Route{"exportJob", http.MethodGet, jobExportPath, UserOnly, "A job's record with its messages, oldest first: Markdown, or JSON.", 0},
		func(ctx context.Context, in *exportIn) (*huma.StreamResponse, error) {
			write, err := b.Jobs.ExportJob(ctx, in.Job, in.Format)
			if err != nil {
				return nil, err
			}
			return h.streamed("export of a job", transcriptTypes[in.Format], write), nil
		})
	h.api.OpenAPI().Paths[jobExportPath].Get.Responses["200"] = textOrObject()
}

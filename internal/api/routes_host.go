package api

import (
	"context"
	"net/http"
	"os"

	"groove/internal/groove"
)

const healthPath = "/api/health"

type none struct{}

func (h *Handler) hostRoutes() {
	b := h.backend
	add(h, Route{"health", http.MethodGet, healthPath, Anyone, "Is the daemon there?", 0},
		func(context.Context, *none) (*body[Health], error) {
			return answer(Health{Version: groove.Version, PID: os.Getpid()}, nil)
		})
	add(h, Route{"openapi", http.MethodGet, "/openapi.json", UserAgent, "This description.", 0},
		func(context.Context, *none) (*document, error) {
			text, err := h.OpenAPI()
			return &document{ContentType: "application/vnd.oai.openapi+json;version=3.1", Body: text}, err
		})
	add(h, Route{"status", http.MethodGet, "/api/status", UserOnly, "How the daemon is.", 0},
		func(ctx context.Context, _ *none) (*body[Status], error) {
			s, err := b.Host.Status(ctx)
			if s.Problems == nil {
				s.Problems = []Trouble{}
			}
			return answer(s, err)
		})
	add(h, Route{"stop", http.MethodPost, "/api/stop", UserOnly, "Stop the daemon. Jobs rest, agents are started again at the next start.", http.StatusAccepted},
		func(ctx context.Context, _ *none) (*none, error) { return nil, b.Host.Stop(ctx) })

	add(h, Route{"config", http.MethodGet, "/api/config", UserOnly, "The settings that the running daemon has, and from where.", 0},
		func(ctx context.Context, _ *none) (*body[[]Setting], error) { return list(b.Host.Settings(ctx)) })

	add(h, Route{"demo", http.MethodGet, "/api/demo", UserOnly, "Whether the paired demo runs.", 0},
		func(ctx context.Context, _ *none) (*body[Demo], error) { return answer(b.Host.Demo(ctx)) })
	add(h, Route{"startDemo", http.MethodPost, "/api/demo", UserOnly, "Start two further daemons, paired, whose scripted agents talk, in a folder of their own. Running already, it lets a browser in again.", 0},
		func(ctx context.Context, _ *none) (*body[Demo], error) { return answer(b.Host.StartDemo(ctx)) })
	add(h, Route{"endDemo", http.MethodDelete, "/api/demo", UserOnly, "End the demo and remove its folder.", http.StatusNoContent},
		func(ctx context.Context, _ *none) (*none, error) { return nil, b.Host.EndDemo(ctx) })

	type settingIn struct {
		Key  string `path:"key" maxLength:"200"`
		Body SettingRequest
	}
	add(h, Route{"setSetting", http.MethodPut, "/api/config/{key}", UserOnly, "Write one setting into config.toml; the daemon takes it at its next start.", 0},
		func(ctx context.Context, in *settingIn) (*body[Setting], error) {
			return answer(b.Host.SetSetting(ctx, in.Key, in.Body.Value))
		})

	type gateIn struct{ Body GateModeRequest }
	add(h, Route{"gateMode", http.MethodPost, "/api/gate/mode", UserOnly, "Change how the running daemon keeps other sources out; config.toml decides at the next start.", 0},
		func(ctx context.Context, in *gateIn) (*body[Gate], error) {
			return answer(b.Host.GateMode(ctx, in.Body.Mode))
		})
	add(h, Route{"gateRuleset", http.MethodGet, "/api/gate/ruleset", UserOnly, "An nftables ruleset that admits who is admitted now.", 0},
		func(ctx context.Context, _ *none) (*body[Ruleset], error) { return answer(b.Host.GateRuleset(ctx)) })

	type auditIn struct {
		After int64 `query:"after" default:"-1" minimum:"-1" doc:"row number; -1 = the last rows"`
		Limit int   `query:"limit" default:"100" minimum:"1" maximum:"1000"`
	}
	add(h, Route{"readAudit", http.MethodGet, "/api/audit", UserOnly, "Rows of the record, oldest first.", 0},
		func(ctx context.Context, in *auditIn) (*body[Audit], error) {
			return answer(b.Record.ReadAudit(ctx, in.After, in.Limit))
		})
	add(h, Route{"verifyAudit", http.MethodGet, "/api/audit/verify", UserOnly, "Check the whole chain of the record.", 0},
		func(ctx context.Context, _ *none) (*body[AuditReport], error) {
			return answer(b.Record.VerifyAudit(ctx))
		})

	type approvalsIn struct {
		Paging
		All bool `query:"all" doc:"answered and expired ones too"`
	}
	add(h, Route{"listApprovals", http.MethodGet, "/api/approvals", UserOnly, "Questions to the user.", 0},
		func(ctx context.Context, in *approvalsIn) (*page[Approval], error) {
			some, err := b.Approvals.ListApprovals(ctx, in.All, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			out := &page[Approval]{Body: filled(some)}
			if len(some) == in.Limit {
				out.Link = in.next(some[len(some)-1].ID)
			}
			return out, nil
		})
	type approvalIn struct {
		ID string `path:"id" maxLength:"64" doc:"or a unique prefix of 4 letters or more"`
	}
	add(h, Route{"approval", http.MethodGet, "/api/approvals/{id}", UserOnly, "One question.", 0},
		func(ctx context.Context, in *approvalIn) (*body[Approval], error) {
			return answer(b.Approvals.FindApproval(ctx, in.ID))
		})
	type answerIn struct {
		ID   string `path:"id" maxLength:"64"`
		Body AnswerRequest
	}
	add(h, Route{"answer", http.MethodPost, "/api/approvals/{id}", UserOnly, "Answer a question. The first answer stands.", 0},
		func(ctx context.Context, in *answerIn) (*body[Approval], error) {
			return answer(b.Approvals.Answer(ctx, in.ID, in.Body))
		})
}

type document struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

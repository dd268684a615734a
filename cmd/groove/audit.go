package main

import (
	"encoding/json"

	"groove/internal/api"
	"groove/internal/groove"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" default:"withargs" help:"Show the last rows (default)."`
	Verify auditVerifyCmd `cmd:"" help:"Check the whole chain."`
	Export auditExportCmd `cmd:"" help:"Print every row, one JSON object a line."`
}

type auditListCmd struct {
	Limit int `default:"50" help:"At most this many rows."`
}

// row is a row as it is recorded.
type row struct {
	N      uint64           `json:"n"`
	At     groove.Time      `json:"at"`
	Event  string           `json:"event"`
	Peer   groove.DaemonID  `json:"peer"`
	Job    groove.JobID     `json:"job"`
	Agent  groove.AgentName `json:"agent"`
	To     groove.AgentName `json:"to"`
	ID     string           `json:"id"`
	Kind   groove.Kind      `json:"kind"`
	Source string           `json:"source"`
	Detail string           `json:"detail"`
}

// Run shows the last rows.
func (c *auditListCmd) Run(a *app) error {
	page, err := a.client.Audit(a.ctx, -1, c.Limit)
	return show(a, page, err, func(p api.Audit) {
		var rows [][]string
		for _, raw := range p.Entries {
			var r row
			if json.Unmarshal(raw, &r) != nil {
				r.Detail = "a row that cannot be read: groove audit verify"
			}
			who := cell(string(r.Agent), 30)
			if r.To != "" {
				who += " → " + cell(string(r.To), 30)
			}
			rows = append(rows, []string{count(int(r.N)), a.ago(r.At.Time), cell(r.Event, 20), who, r.Peer.Short(), r.Job.Short(), cell(or(string(r.Kind), r.Detail), 60), cell(r.Source, 50)})
		}
		table(a.out, "no rows", []string{"ROW", "WHEN", "EVENT", "WHO", "PEER", "JOB", "WHAT", "SOURCE"}, rows)
	})
}

type auditVerifyCmd struct{}

// Run checks the chain.
func (auditVerifyCmd) Run(a *app) error {
	rep, err := a.client.VerifyAudit(a.ctx)
	return show(a, rep, err, func(r api.AuditReport) {
		a.printf("the record holds: %d rows, %d signed heads\n", r.Rows, r.Heads)
	})
}

type auditExportCmd struct{}

// Run prints every row as it was hashed.
func (auditExportCmd) Run(a *app) error {
	for after := int64(0); ; {
		page, err := a.client.Audit(a.ctx, after, 1000)
		if err != nil {
			return err
		}
		for _, raw := range page.Entries {
			if _, err := a.out.Write(append(raw, '\n')); err != nil {
				return groove.Wrap("export", groove.KindInternal, errBroken)
			}
		}
		if len(page.Entries) == 0 {
			return nil
		}
		after = int64(page.Next)
	}
}

package approval

import (
	"context"
	"strings"

	"groove/internal/groove"
)

// AboutJob returns the questions about a job, oldest first, at most limit of the newest: those
// whose ref is one of refs and whose kind begins with "job.", and those of messages whose
// detail names the job.
func (q *Queue) AboutJob(ctx context.Context, job groove.JobID, refs []string, limit int) ([]Approval, error) {
	where := "kind IN ('message.held', 'turn.held') AND instr(detail, ?) > 0"
	args := []any{`"jobId":"` + string(job) + `"`} // a quote in a text is escaped: only a member can look like this
	if len(refs) > 0 {
		where += " OR kind LIKE 'job.%' AND ref IN (?" + strings.Repeat(",?", len(refs)-1) + ")"
		for _, ref := range refs {
			args = append(args, ref)
		}
	}
	all, err := q.dbRows(ctx)("SELECT "+columns+" FROM (SELECT pk, "+columns+" FROM approval WHERE "+where+" ORDER BY pk DESC LIMIT ?) ORDER BY pk", append(args, limit)...)
	return all, groove.Wrap("read questions", groove.KindInternal, err)
}

package events

import (
	"context"
	"time"

	"groove/internal/groove"
)

// Way is one message in one direction.
type Way struct {
	ID        groove.MessageID
	Direction groove.Direction
}

// Steps are the states that messages came to, with the times of their commits, in order. Only
// of events that are still kept, from the time on.
func (l *Log) Steps(ctx context.Context, since time.Time, want map[Way]bool) (map[Way][]groove.MailStep, error) {
	const query = "SELECT at, data FROM event WHERE topic = 'message' AND at >= ? ORDER BY n"
	rows, err := l.store.Read().QueryContext(ctx, query, since.UnixMilli())
	if err != nil {
		return nil, groove.Wrap("read steps", groove.KindInternal, err)
	}
	defer rows.Close()
	out := map[Way][]groove.MailStep{}
	for rows.Next() {
		var at int64
		var data []byte
		if err := rows.Scan(&at, &data); err != nil {
			return nil, groove.Wrap("read steps", groove.KindInternal, err)
		}
		moves, err := unpackMoves(data)
		if err != nil {
			return nil, groove.Wrap("read steps", groove.KindInternal, err)
		}
		for _, m := range moves {
			if way := (Way{m.ID, m.Direction}); want[way] {
				out[way] = append(out[way], groove.MailStep{State: m.State, At: groove.At(time.UnixMilli(at))})
			}
		}
	}
	return out, groove.Wrap("read steps", groove.KindInternal, rows.Err())
}

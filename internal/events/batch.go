package events

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"groove/internal/groove"
)

// pageRows is how many rows one read takes.
const pageRows = 100

// row is one event as it is kept.
type row struct {
	n      uint64
	at     int64
	change groove.Change
	moves  []groove.MessageChange // of topic message
}

// read returns rows after one number and up to another, at most pageRows. The first is
// after+1, or the rows are gone: KindEventGone.
func (l *Log) read(ctx context.Context, after, upTo uint64) ([]row, error) {
	rows, err := l.store.Read().QueryContext(ctx, "SELECT n, at, topic, data FROM event WHERE n > ? AND n <= ? ORDER BY n LIMIT ?", int64(after), int64(upTo), pageRows)
	if err != nil {
		return nil, groove.Wrap("read events", groove.KindInternal, err)
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		var data []byte
		if err := rows.Scan(&r.n, &r.at, &r.change.Topic, &data); err != nil {
			return nil, groove.Wrap("read events", groove.KindInternal, err)
		}
		if r.n != after+uint64(len(out))+1 {
			return nil, gone(after)
		}
		if r.change.Topic == groove.TopicMessage {
			r.moves, err = unpackMoves(data)
		} else {
			err = json.Unmarshal(data, &r.change)
		}
		if err != nil {
			return nil, groove.Wrap("read events", groove.KindInternal, err)
		}
		out = append(out, r)
	}
	return out, groove.Wrap("read events", groove.KindInternal, rows.Err())
}

func gone(since uint64) error {
	return groove.Errorf("read events", groove.KindEventGone, "the events after %d are not kept", since).
		WithFix("GET /api/snapshot, then go on from its next")
}

// batch makes one of rows: of several events on one thing the last stands, under its number.
func batch(rows []row, outputs []string) (*groove.EventBatch, error) {
	moved, changed := map[moveKey]uint64{}, map[changeKey]uint64{}
	for i := range rows {
		for j := range rows[i].moves {
			m := &rows[i].moves[j]
			moved[moveKey{m.ID, m.Direction}] = rows[i].n
		}
		changed[keyOf(&rows[i].change)] = rows[i].n
	}
	b := &groove.EventBatch{JSON: []byte{'['}}
	for i := range rows {
		r := &rows[i]
		at := groove.At(time.UnixMilli(r.at))
		e := groove.Event{N: r.n, At: &at, Topic: r.change.Topic}
		if r.change.Topic == groove.TopicMessage {
			for _, m := range r.moves {
				if moved[moveKey{m.ID, m.Direction}] == r.n {
					e.Messages = append(e.Messages, groove.MessageMove{ID: m.ID, Direction: m.Direction.String(), State: m.State})
				}
			}
			if e.Messages == nil {
				continue
			}
		} else if changed[keyOf(&r.change)] != r.n {
			continue
		}
		c := &r.change
		e.ID, e.Peer, e.State, e.Reason = c.ID, c.Peer, c.State, c.Reason
		if err := put(b, &e); err != nil {
			return nil, err
		}
		b.Last = r.n
	}
	slices.Sort(outputs)
	for _, agent := range outputs {
		if err := put(b, &groove.Event{Topic: groove.TopicOutput, ID: agent}); err != nil {
			return nil, err
		}
	}
	b.JSON = append(b.JSON, ']')
	return b, nil
}

// put adds one event in both forms.
func put(b *groove.EventBatch, e *groove.Event) error {
	text, err := json.Marshal(e)
	if err != nil {
		return groove.Wrap("tell events", groove.KindInternal, err)
	}
	if len(b.JSON) > 1 {
		b.JSON = append(b.JSON, ',')
	}
	b.JSON = append(b.JSON, text...)
	if e.N > 0 { // without a number it leaves the reader's place as it is
		b.SSE = strconv.AppendUint(append(b.SSE, "id: "...), e.N, 10)
		b.SSE = append(b.SSE, '\n')
	}
	b.SSE = append(append(b.SSE, "event: "...), e.Topic...)
	b.SSE = append(append(b.SSE, "\ndata: "...), text...)
	b.SSE = append(b.SSE, "\n\n"...)
	return nil
}

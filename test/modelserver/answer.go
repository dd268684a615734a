package modelserver

import (
	"fmt"
	"net/http"
	"time"
)

// wordPause is the time between the words of a slow answer.
const wordPause = 200 * time.Millisecond

// answer writes one answer in some dialect.
type answer struct {
	s  *server
	w  http.ResponseWriter
	r  *http.Request
	id int64
}

// name is the answer's id, with the dialect's prefix.
func (a *answer) name(prefix string) string { return fmt.Sprintf("%s_%d", prefix, a.id) }

// json writes the body of a whole answer.
func (a *answer) json(v object) { a.s.write(a.w, v) }

// event writes one server-sent event, named in the dialects whose events have names.
// A client that went away is seen at the next request.
func (a *answer) event(name string, v object) {
	if name != "" {
		fmt.Fprintf(a.w, "event: %s\n", name)
	}
	fmt.Fprint(a.w, "data: ")
	a.s.write(a.w, v)
	fmt.Fprint(a.w, "\n")
	if f, ok := a.w.(http.Flusher); ok {
		f.Flush()
	}
}

// text is the whole answer's text.
func (a *answer) text(act action) (all string) {
	a.words(act, func(word string) { all += word })
	return all
}

// words gives the answer's text piece by piece, until the client goes away.
func (a *answer) words(act action, give func(string)) {
	if act.kind != "slow" {
		give(act.text)
		return
	}
	tick := time.NewTicker(wordPause)
	defer tick.Stop()
	for i := range act.n * int(time.Second/wordPause) {
		select {
		case <-tick.C:
			give(fmt.Sprintf("w%d ", i))
		case <-a.r.Context().Done():
			return
		}
	}
	give("SLOWEND")
}

//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"groove/internal/api"
	"groove/internal/groove"
)

// letter is 1 KiB as agents write it: lines, some quotes.
var letter = strings.Repeat("The endpoint answers \"202\" and an id; the rest is in api.md.\n   ", 16)

// caller sends one prepared message again and again over one kept connection. It
// does less than a usual HTTP client, so that on a small machine the daemon is
// measured and not who calls it. For one goroutine.
type caller struct {
	conn    net.Conn
	read    *bufio.Reader
	request []byte
}

func (n *node) newCaller(ctx context.Context, job groove.JobID, to groove.AgentName) (*caller, error) {
	body, err := json.Marshal(api.MessageRequest{Job: job, To: api.MessageTo{Agent: to}, Payload: groove.Message{Text: letter}})
	if err != nil {
		return nil, err
	}
	var request bytes.Buffer
	fmt.Fprintf(&request, "POST /api/federation/bridge/message HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
	request.Write(body)
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", n.socket)
	if err != nil {
		return nil, err
	}
	return &caller{conn: conn, read: bufio.NewReader(conn), request: request.Bytes()}, nil
}

func (c *caller) close() { c.conn.Close() }

// send returns when the daemon has committed the message and said so.
func (c *caller) send() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	resp, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("the daemon answered %s: %.300s", resp.Status, said)
	}
	return err
}

// clients is how many call at once where the load is live.
const clients = 64

// flood sends count messages from many clients at once, and returns when all are queued.
func (n *node) flood(ctx context.Context, job groove.JobID, to groove.AgentName, count int) error {
	callers := make([]*caller, clients)
	for i := range callers {
		c, err := n.newCaller(ctx, job, to)
		if err != nil {
			return err
		}
		defer c.close()
		callers[i] = c
	}
	var left atomic.Int64
	left.Store(int64(count))
	var wait sync.WaitGroup
	failed := make(chan error, clients)
	for _, c := range callers {
		wait.Go(func() {
			for left.Add(-1) >= 0 && ctx.Err() == nil {
				if err := c.send(); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wait.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return err
	}
	return ctx.Err()
}

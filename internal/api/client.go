package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"groove/internal/groove"
)

// Client calls a daemon over its Unix socket. Refusals come back as *groove.Error
// with the daemon's kind and fix; no daemon there is daemon.notRunning. It keeps its
// connections and is safe for concurrent use.
type Client struct {
	http    *http.Client
	version atomic.Pointer[string] // of the daemon, as it last answered
}

// NewClient returns a client of the daemon behind the socket. It connects at the
// first call.
func NewClient(socket string) *Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		},
		MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute, DisableCompression: true,
	}}}
}

// DaemonVersion is the version of the daemon that last answered, "" for one that does
// not say it; answered is false while none has.
func (c *Client) DaemonVersion() (version string, answered bool) {
	if v := c.version.Load(); v != nil {
		return *v, true
	}
	return "", false
}

// Close ends the kept connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// call sends in as JSON, if any, and reads the answer into out, if any: text into an
// io.Writer, JSON into all else.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var payload io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return groove.Wrap("request", groove.KindInternal, err)
		}
		payload = bytes.NewReader(b)
	}
	target := "http://localhost" + path // escaped by the caller
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return groove.Wrap("request", groove.KindInternal, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return connectFault(ctx, err)
	}
	defer resp.Body.Close()
	version := resp.Header.Get(versionHeader)
	c.version.Store(&version)
	if resp.StatusCode >= 400 {
		return refusal(resp)
	}
	if text, ok := out.(io.Writer); ok {
		_, err := io.Copy(text, resp.Body)
		return groove.Wrap("request", groove.KindDaemonDown, err)
	}
	if out != nil {
		if err := json.NewDecoder(resp.Body).Decode(out); err != nil && !(errors.Is(err, io.EOF) && resp.ContentLength == 0) {
			return connectFault(ctx, err)
		}
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 4<<10)) // so that the connection is kept
	return groove.Wrap("request", groove.KindDaemonDown, err)
}

func refusal(resp *http.Response) error {
	var p Problem
	err := json.NewDecoder(io.LimitReader(resp.Body, MaxBody)).Decode(&p)
	if err != nil || p.Kind == "" || !strings.HasPrefix(resp.Header.Get("Content-Type"), problemType) {
		return groove.Errorf("request", groove.KindInternal, "the daemon answered %s", resp.Status).
			WithFix("client and daemon may be of different versions: groove stop, then groove start")
	}
	return p.AsError()
}

func connectFault(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return groove.Wrap("request", groove.KindTimeout, ctx.Err())
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return groove.Errorf("connect", groove.KindDaemonDown, "no daemon runs on this home").WithFix("groove start")
	case errors.Is(err, fs.ErrPermission):
		return groove.Errorf("connect", groove.KindForbidden, "the daemon's socket belongs to another user").WithFix("run groove as the user who started the daemon")
	}
	return groove.Errorf("request", groove.KindDaemonDown, "the daemon ended before it answered: %w", err).WithFix("groove status")
}

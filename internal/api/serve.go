package api

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"groove/internal/groove"
)

// MCPPath is where the agents' MCP endpoint is mounted on the TCP door.
const MCPPath = "/mcp"

// Options says where to listen and what to serve.
type Options struct {
	Socket  string // path of the Unix socket; see SocketPath
	TCP     string // loopback host:port; port 0 = a free one
	Backend Backend
	Callers Callers
	MCP     http.Handler // checks tokens by itself
	Log     *slog.Logger
	Kept    string       // file that browsers' sessions outlive the daemon in; "": they end with it
	GUI     fs.FS        // the built GUI; nil: a page that shows how the daemon stands
	Clock   groove.Clock // for codes, bearers and tickets; nil: the wall clock
}

// Server is the two doors, open.
type Server struct {
	opts    Options
	handler *Handler
	unix    net.Listener
	tcp     net.Listener
	uid     int
}

// Listen opens both doors; requests wait until Serve. It fails with port.taken,
// config.invalid for an address beyond loopback, home.damaged and auth.denied for a
// socket's place that is not the user's alone.
func Listen(ctx context.Context, o Options) (*Server, error) {
	if err := checkLoopback(o.TCP); err != nil {
		return nil, err
	}
	s := &Server{opts: o, handler: NewHandler(o.Backend, o.Callers, o.Log), uid: os.Getuid()}
	var err error
	if o.GUI != nil {
		if s.handler.gui, err = newGUI(o.GUI); err != nil {
			return nil, err
		}
	}
	if s.unix, err = listenUnix(ctx, o.Socket); err != nil {
		return nil, err
	}
	if s.tcp, err = listenTCP(ctx, o.TCP); err != nil {
		return nil, errors.Join(err, s.unix.Close())
	}
	s.handler.tcp = s.Addr()
	if o.Clock != nil {
		s.handler.keys.clock = o.Clock
	}
	if o.Kept != "" {
		if err := s.handler.keys.load(o.Kept); err != nil {
			return nil, errors.Join(err, s.unix.Close(), s.tcp.Close())
		}
	}
	return s, nil
}

// Addr returns host:port of the TCP door.
func (s *Server) Addr() string { return s.tcp.Addr().String() }

// MCPURL returns the agents' MCP endpoint.
func (s *Server) MCPURL() string { return "http://" + s.Addr() + MCPPath }

// Serve answers until ctx ends, then lets running requests finish for at most grace and
// closes both doors. Long polls end at once, event streams with their last events. Call it once.
func (s *Server) Serve(ctx context.Context, grace time.Duration) error {
	base, endPolls := context.WithCancel(context.WithoutCancel(ctx))
	defer endPolls()
	tcp := http.NewServeMux()
	tcp.Handle(MCPPath, s.opts.MCP)
	tcp.Handle("/", s.handler)
	servers := []*http.Server{
		s.server(base, s.handler, func(c net.Conn) door { return socketDoor(c, s.opts.Callers, s.uid) }),
		s.server(base, guardTCP(tcp), func(c net.Conn) door { return tcpDoor(c, s.uid) }),
	}
	failed := make(chan error, len(servers))
	var running sync.WaitGroup
	for i, l := range []net.Listener{s.unix, s.tcp} {
		running.Go(func() {
			if err := servers[i].Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- groove.Wrap("serve api", groove.KindInternal, err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	close(s.handler.ending)
	endPolls()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	for _, srv := range servers {
		if srv.Shutdown(last) != nil {
			err = errors.Join(err, srv.Close())
		}
	}
	running.Wait()
	s.handler.streams.Wait() // the servers do not count sockets that were taken over
	return err
}

// Close ends both doors of a server that will not Serve.
func (s *Server) Close() error { return errors.Join(s.unix.Close(), s.tcp.Close()) }

func (s *Server) server(base context.Context, h http.Handler, look func(net.Conn) door) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, doorKey{}, look(c))
		},
		ErrorLog: slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelError),
	}
}

// guardTCP stands before everything on the TCP door: whose connection it is, and
// whether a web page elsewhere made it.
func guardTCP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := enter(r).refused; p != nil {
			p.write(w)
			return
		}
		if p := checkHost(r); p != nil {
			p.write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func checkLoopback(addr string) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || !ap.Addr().IsLoopback() {
		return groove.Errorf("listen", groove.KindConfigInvalid, "the API listens on loopback only, not on %q", addr).
			WithFix("from another machine use ssh -L")
	}
	return nil
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := prepareDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, groove.Wrap("listen", groove.KindInternal, err)
	}
	// The directory has kept others out until here.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(groove.Wrap("listen", groove.KindInternal, err), l.Close())
	}
	return l, nil
}

func listenTCP(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, groove.Errorf("listen", groove.KindPortTaken, "another program listens on %s", addr).
			WithFix("end it, or set api.port in config.toml (0 = a free one)")
	}
	if err != nil {
		return nil, groove.Wrap("listen", groove.KindInternal, err)
	}
	return l, nil
}

package api

import (
	"embed"
	"net/http"
)

//go:embed page
var pageFiles embed.FS

// pages are the files of the browser's page: they hold no secret and are given to whoever
// came through the door.
var pages = map[string]struct{ file, kind string }{
	"/":           {"page/index.html", "text/html; charset=utf-8"},
	"/page.js":    {"page/page.js", "text/javascript; charset=utf-8"},
	"/page.css":   {"page/page.css", "text/css; charset=utf-8"},
	"/groove.svg": {"page/groove.svg", "image/svg+xml"},
}

// servePage answers if one of the page's files is asked for.
func (h *Handler) servePage(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	if h.gui != nil {
		return h.gui.serve(w, r)
	}
	p, ok := pages[r.URL.Path]
	if !ok {
		return false
	}
	text, err := pageFiles.ReadFile(p.file)
	if err != nil { // cannot be: it is built in
		return false
	}
	w.Header().Set("Content-Type", p.kind)
	secure(w.Header(), r, "'self'")
	w.Header().Set("Cache-Control", "no-store")
	if r.Method == http.MethodGet {
		_, _ = w.Write(text) // a client that has gone needs no page
	}
	return true
}

// secure allows the page nothing but its own files: no frame, no form, no other site. Some
// browsers do not count a WebSocket of the same host as 'self'.
func secure(h http.Header, r *http.Request, styles string) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src "+styles+"; img-src 'self'; font-src 'self'; manifest-src 'self'; "+
		"connect-src 'self' ws://"+r.Host+"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

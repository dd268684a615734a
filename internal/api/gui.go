package api

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"groove/internal/groove"
)

// gui serves the built GUI: its page under every address that is none of the API's, its
// other files by their names.
type gui struct {
	files fs.FS
	page  []byte // index.html, with nonceMark where the nonce goes
}

// nonceMark stands in the page's head and is written anew for each answer: libraries that
// make styles of their own may use it, and nothing else may make any.
const nonceMark = "@GROOVE-NONCE@"

func newGUI(files fs.FS) (*gui, error) {
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, groove.Wrap("open the GUI", groove.KindInternal, err)
	}
	return &gui{files: files, page: page}, nil
}

// kinds are those that a machine's own table may lack or have otherwise.
var guiKinds = map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".woff2": "font/woff2", ".webmanifest": "application/manifest+json", ".png": "image/png"}

// serve answers if the request is for a file, or an address, of the page.
func (g *gui) serve(w http.ResponseWriter, r *http.Request) bool {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if ofAPI(r.URL.Path) {
		return false
	}
	if name == "" || name == "index.html" || path.Ext(name) == "" {
		g.servePage(w, r)
		return true
	}
	b, err := fs.ReadFile(g.files, name)
	if err != nil {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", kindOf(name))
	secure(h, r, "'self'")
	h.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") { // the name holds the hash of what is in it
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	write(w, r, b)
	return true
}

// ofAPI reports whether the address belongs to the API and its neighbours.
func ofAPI(p string) bool {
	for _, root := range []string{"/api", MCPPath, "/metrics", "/openapi.json"} {
		if p == root || strings.HasPrefix(p, root+"/") {
			return true
		}
	}
	return false
}

func kindOf(name string) string {
	ext := path.Ext(name)
	if kind := guiKinds[ext]; kind != "" {
		return kind
	}
	if kind := mime.TypeByExtension(ext); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

func (g *gui) servePage(w http.ResponseWriter, r *http.Request) {
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	secure(h, r, "'self' 'nonce-"+nonce+"'")
	h.Set("Cache-Control", "no-store")
	write(w, r, bytes.ReplaceAll(g.page, []byte(nonceMark), []byte(nonce)))
}

func write(w http.ResponseWriter, r *http.Request, b []byte) {
	if r.Method == http.MethodGet {
		_, _ = w.Write(b) // a client that has gone needs no page
	}
}

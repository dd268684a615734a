// Package gui holds the web GUI's files as Vite built them from web/. It stands behind the
// API, which serves them. A build without Node has none, and says so.
package gui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Files is the built GUI, nil where this build has none.
func Files() fs.FS {
	files, err := fs.Sub(built, "dist")
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return nil
	}
	return files
}

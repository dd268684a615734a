package gui_test

import (
	"io/fs"
	"testing"

	"groove/internal/gui"
)

// What was built is whole: the page, and each file that it names.
func TestFiles(t *testing.T) {
	files := gui.Files()
	if files == nil {
		t.Log("built without the GUI")
		return
	}
	scripts, err := fs.Glob(files, "assets/*.js")
	if err != nil || len(scripts) == 0 {
		t.Errorf("no scripts beside the page: %v", err)
	}
}

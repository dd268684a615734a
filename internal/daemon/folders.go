package daemon

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"groove/internal/api"
	"groove/internal/groove"
	"groove/internal/worktree"
)

const (
	// maxFolders is how many folders of one are shown, maxEntries how many entries are read for that.
	maxFolders = 1000
	maxEntries = 50_000
)

// Folder is api.Preview.
func (d *daemon) Folder(_ context.Context, path string) (api.Folder, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "/"
	}
	return folder(home, path)
}

// folder shows what the user would see with ls: it refuses nothing that the system does not.
func folder(home, path string) (api.Folder, error) {
	path, err := absolute("show folder", home, path)
	if err != nil {
		return api.Folder{}, err
	}
	out := api.Folder{Path: path, Home: home, IsRepo: isRepo(path)}
	if parent := filepath.Dir(path); parent != path {
		out.Parent = parent
	}
	out.InRepo, _ = worktree.Top(path)
	if out.Dirs, out.Truncated, err = foldersIn(path); err != nil {
		return api.Folder{}, unreadable("show folder", path, err)
	}
	return out, nil
}

// foldersIn lists the folders in path, by name, and says whether there are more.
func foldersIn(path string) (out []api.DirEntry, more bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	entries, err := f.ReadDir(maxEntries)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, err
	}
	more = len(entries) == maxEntries
	out = []api.DirEntry{}
	for _, e := range entries {
		if full := filepath.Join(path, e.Name()); utf8.ValidString(e.Name()) && leadsToFolder(full, e) {
			out = append(out, api.DirEntry{Name: e.Name(), IsRepo: isRepo(full), Hidden: strings.HasPrefix(e.Name(), ".")})
		}
	}
	slices.SortFunc(out, func(a, b api.DirEntry) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Name, b.Name))
	})
	if len(out) > maxFolders {
		out, more = out[:maxFolders], true
	}
	return out, more, nil
}

// leadsToFolder follows a link, as a shell does.
func leadsToFolder(full string, e os.DirEntry) bool {
	if e.Type()&os.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(full)
	return err == nil && info.IsDir()
}

// isRepo reports whether path is the root of a git working tree.
func isRepo(path string) bool {
	info, err := os.Lstat(filepath.Join(path, ".git"))
	return err == nil && (info.IsDir() || info.Mode().IsRegular())
}

// absolute is a path as a user may write it, from the home on.
func absolute(op, home, path string) (string, error) {
	rest, atHome := strings.CutPrefix(path, "~")
	switch {
	case path == "":
		return home, nil
	case atHome && (rest == "" || rest[0] == '/'):
		path = home + rest
	case !filepath.IsAbs(path):
		return "", groove.Errorf(op, groove.KindInvalid, "%q is not an absolute path", path).WithFix("write it from / on, or as ~/…")
	}
	return filepath.Clean(path), nil
}

func unreadable(op, path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return groove.Errorf(op, groove.KindInvalid, "%s does not exist", path).WithFix("mkdir -p " + path)
	case errors.Is(err, os.ErrPermission):
		return groove.Errorf(op, groove.KindInvalid, "%s may not be read by the user who runs groove", path)
	}
	return groove.Errorf(op, groove.KindInvalid, "%s cannot be read as a folder: %w", path, err)
}

package scope

import (
	"context"
	"io/fs"
	"path/filepath"
)

// Names reports whether the globs name path, absolute and without links, dots or anything to
// follow: nothing of the file system is looked at.
func (s *Scope) Names(path string) bool { return s.holds(path) }

// Files are the files below an absolute directory, as they count from it, that is what is no
// directory; links are not followed and .git is left out. At most most entries are looked at, until
// ctx ends: whole says whether that was all. What cannot be read is passed over.
func Files(ctx context.Context, dir string, most int) (paths []string, whole bool) {
	whole = true
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if most--; most < 0 || ctx.Err() != nil {
			whole = false
			return filepath.SkipAll
		}
		if err != nil {
			return nil
		}
		if e.Name() == ".git" {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if rel, ok := below(dir, path); ok && !e.IsDir() {
			paths = append(paths, rel)
		}
		return nil
	})
	return paths, whole
}

package worktree

import (
	"bytes"
	"context"
	"strings"
)

// Files are the files below dir that its repository tracks or does not ignore, as they count
// from dir, in order; whole says whether all of them. A submodule or a repository within is one entry.
// It fails with KindConflict where dir is in no repository or git refuses, KindProgramFailed
// without git, KindTimeout.
func (g Git) Files(ctx context.Context, dir string) (paths []string, whole bool, err error) {
	const op = "list files"
	top, ok := Top(dir)
	if !ok {
		return nil, false, notRepository(op, dir)
	}
	out, whole, err := g.run(ctx, op, command{dir: dir, look: true, args: at(top,
		"ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")})
	if err != nil {
		return nil, false, err
	}
	if !whole { // the last one is cut
		out = out[:bytes.LastIndexByte(out, 0)+1]
	}
	for name := range bytes.SplitSeq(out, []byte{0}) {
		if len(name) > 0 {
			paths = append(paths, strings.TrimSuffix(string(name), "/"))
		}
	}
	return paths, whole, nil
}

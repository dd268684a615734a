package scope

// Real is the absolute path that the kernel would open, with links followed, also through
// names that are not there yet; "" where too many links lead on.
func Real(path string) string { return resolve(path) }
